import { expect, it } from "vitest";
import { crashText } from "../../src/model/crash-text.ts";

it("tells the kind of an error, and where it was thrown", () => {
  expect(crashText(new RangeError("no such row\nsecond line"))).toEqual({
    errorText: "RangeError: no such row",
    stack: expect.stringMatching(/^ {4}at .*crash-text\.test\.ts/),
  });
});

it("masks what the message quotes, in the stack too", () => {
  const secret = "eyJhbGciOiJub25lIn0.e30.x";
  const told = crashText(new TypeError(`cannot convert ${secret}`));
  expect(told.errorText).toBe("TypeError: cannot convert <token>");
  expect(told.stack).not.toContain(secret);
});

it("tells what is no error", () => {
  expect(crashText("plain")).toEqual({ errorText: "plain" });
});

it("has no stack where there is none", () => {
  const bare = new Error("x");
  delete bare.stack;
  expect(crashText(bare)).toEqual({ errorText: "Error: x" });
});
