import { expect, it } from "vitest";
import { type Tally, tallied } from "../../src/store/tally.ts";

const counted = (id: number, started: number) => ({
  id,
  started,
  succeeded: started - 1,
  failed: 1,
});

/** The sum of what was started, after each poll. */
function sums(...polls: readonly (readonly ReturnType<typeof counted>[])[]): readonly number[] {
  const tallies: Tally[] = [];
  for (const poll of polls) tallies.push(tallied(tallies.at(-1), poll));
  return tallies.map(({ started }) => started);
}

it.each([
  ["keeps what a dead object counted", [[counted(1, 10)], []], [10, 10]],
  ["counts a new object in full", [[counted(1, 10)], [counted(1, 11), counted(2, 4)]], [10, 15]],
  [
    "does not count anew what one read missed",
    [[counted(1, 900), counted(2, 4)], [counted(2, 5)], [counted(1, 903), counted(2, 5)]],
    [904, 905, 908],
  ],
  [
    "counts an old object from when it is first read",
    [[counted(7, 10)], [counted(3, 900), counted(7, 10)], [counted(3, 902), counted(7, 10)]],
    [10, 10, 12],
  ],
  ["never falls", [[counted(1, 10)], [counted(1, 2)]], [10, 10]],
])("%s", (_what, polls, want) => {
  expect(sums(...polls)).toEqual(want);
});

it("remembers no more than 200 that are gone, the newest", () => {
  const many = Array.from({ length: 300 }, (_, index) => counted(index + 1, 5));
  const { byId } = tallied(tallied(undefined, many), []);
  expect(Object.keys(byId)).toEqual(many.slice(100).map(({ id }) => `${id}`));
});
