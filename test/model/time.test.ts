import { expect, it } from "vitest";
import { untilWholeSecondMs } from "../../src/model/time.ts";

it.each([
  ["from a whole second to the next", 1_000, 1_000],
  ["from within a second to its end", 1_250.5, 749.5],
  ["from a tenth before its end still there", 1_900, 100],
  ["from a moment before it, where a timer was early, to the one after", 1_998, 1_002],
])("waits %s", (_what, nowMs, leftMs) => {
  expect(untilWholeSecondMs(nowMs)).toBe(leftMs);
});
