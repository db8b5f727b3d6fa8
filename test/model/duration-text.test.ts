import { expect, it } from "vitest";
import { durationText } from "../../src/model/duration-text.ts";

it.each([
  [0, "0 ms"],
  [1999, "1999 ms"],
  [2000, "2 s"],
  [119_999, "119 s"],
  [120_000, "2 min"],
  [7_199_999, "119 min"],
  [7_200_000, "2 h"],
  [172_799_999, "47 h"],
  [172_800_000, "2 d"],
  [7_776_000_000, "90 d"],
])("reads %d ms as %s", (ms, text) => {
  expect(durationText(ms)).toBe(text);
});
