import { expect, it } from "vitest";
import { pendingWait, waitAfterLook } from "../../src/model/pending-wait.ts";

it.each([
  [{ activeInSeconds: -0.2 }, "active in 0 s if it stays"],
  [{ activeInSeconds: 12.4 }, "active in 13 s if it stays"],
  [
    { activeInSeconds: 26, waitsFor: ["app-frozen"] },
    "active within 26 s if it stays, at once when app-frozen is ruled out",
  ],
  [
    { activeInSeconds: 26, waitsFor: ["a", "b", "c", "d", "e"] },
    "active within 26 s if it stays, at once when a, b, c and 2 more are ruled out",
  ],
])("%j reads %s", (pending, text) => {
  expect(pendingWait(pending)).toBe(text);
});

it.each([
  [
    { activeInSeconds: 60, waitsFor: ["a"] },
    "active within 60 s if it stays, at once when a is ruled out",
  ],
  [{ activeInSeconds: 61 }, "one look cannot tell"],
  [{ activeInSeconds: 590, waitsFor: ["a"] }, "one look cannot tell"],
])("%j reads, after one look, %s", (pending, text) => {
  expect(waitAfterLook(pending)).toBe(text);
});
