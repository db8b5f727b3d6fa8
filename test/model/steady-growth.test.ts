import { expect, it } from "vitest";
import { steadyGrowth } from "../../src/model/steady-growth.ts";
import { MINUTE, series } from "../support/snapshot.ts";

/** One level a minute, newest last. */
const grown = (values: readonly number[], windowMinutes = 5) =>
  steadyGrowth(
    series(values.length, MINUTE, (at, index) => ({ at, value: values[index] ?? 0 })),
    windowMinutes * MINUTE,
  );

it.each([
  ["no levels", []],
  ["levels that do not reach far enough", [1, 2, 3, 4, 5]],
  ["a level that stays", [5, 5, 5, 5, 5, 5]],
  ["growth that ended two minutes ago", [1, 2, 3, 4, 4, 4]],
  ["a level that comes and goes", [1, 9, 2, 9, 3, 9]],
  ["a level that fell, and now rises", [9, 1, 1, 1, 1, 2]],
])("does not call %s growth", (_what, values) => {
  expect(grown(values)).toBeUndefined();
});

it("tells by how much a level grew over the window", () => {
  expect(grown([100, 1, 2, 3, 4, 5, 7])).toEqual({ grew: 6, ms: 5 * MINUTE });
});

it("forgives one fall in ten", () => {
  const rising = [1, 2, 3, 4, 5, 4, 6, 7, 8, 9];
  expect(grown([...rising], 9)).toEqual({ grew: 8, ms: 9 * MINUTE });
  expect(grown([1, 2, 3, 2, 5, 4, 6, 7, 8, 9], 9)).toBeUndefined();
});
