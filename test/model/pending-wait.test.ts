import { expect, it } from "vitest";
import { pendingWait } from "../../src/model/pending-wait.ts";

it.each([
  [{ activeInSeconds: -0.2 }, "active in 0 s"],
  [{ activeInSeconds: 12.4 }, "active in 13 s"],
  [
    { activeInSeconds: 26, waitsFor: ["app-frozen"] },
    "active within 26 s, as soon as it is known that it is not app-frozen",
  ],
  [
    { activeInSeconds: 26, waitsFor: ["a", "b", "c", "d", "e"] },
    "active within 26 s, as soon as it is known that it is not a, b, c and 2 more",
  ],
])("%j reads %s", (pending, text) => {
  expect(pendingWait(pending)).toBe(text);
});
