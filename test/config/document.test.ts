import { expect, it } from "vitest";
import { readDocument } from "../../src/config/document.ts";
import { faultsOf } from "./load-file.ts";

it("keeps the place of values and keys, through aliases too", () => {
  const document = readDocument("a: &x\n  - b: 1\nc: *x\n", "f", {});
  expect(document.value).toEqual({ a: [{ b: 1 }], c: [{ b: 1 }] });
  expect(document.place(["a", 0, "b"])).toEqual({ line: 2, column: 8, source: "1" });
  expect(document.keyPlace(["c"])).toEqual({ line: 3, column: 1 });
  expect(document.place(["c"])).toEqual({ line: 3, column: 4, source: "*x" });
  expect(document.place(["c", 7, "nowhere"])).toEqual({ line: 3, column: 4, source: "*x" });
});

it("reads a plain variable as the scalar that it holds, and a quoted one as text", () => {
  const environment = { RATIO: "0.5", YES: "true", TEXT: "a: b" };
  const text = 'a: ${RATIO}\nb: "${RATIO}"\nc: ${YES}\nd: ${TEXT}\ne: ${NO:-off}\n';
  expect(readDocument(text, "f", environment).value).toEqual({
    a: 0.5,
    b: "0.5",
    c: true,
    d: "a: b",
    e: "off",
  });
});

it("takes no prototype from a key", () => {
  const { value } = readDocument("__proto__: { polluted: true }", "f", {});
  expect(Object.keys(value as object)).toEqual(["__proto__"]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

it.each([
  [
    "10 MB",
    "x".repeat(10_000_000),
    "f:1:1: (file): found 10000000 bytes, allowed: at most 262144 bytes",
  ],
  [
    "a quarter MiB of brackets",
    "[".repeat(262_144),
    "f:1:1: (file): found values nested deeper, allowed: 24 levels",
  ],
  [
    "a tower of mappings",
    `${"{ a: ".repeat(40)}1${" }".repeat(40)}`,
    /found a value nested deeper, allowed: 24 levels$/,
  ],
  [
    "25 000 keys",
    Array.from({ length: 25_000 }, (_, key) => `k${key}: 1`).join("\n"),
    /more values, aliases followed, allowed: 20000 values$/,
  ],
])("refuses %s with one bounded fault", (_what, text, message) => {
  const printed = faultsOf(text, { file: "f" });
  expect(printed).toMatch(message);
  expect(printed.length).toBeLessThan(20_000);
});
