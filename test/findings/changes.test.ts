import { expect, it } from "vitest";
import { changesSince } from "../../src/findings/changes.ts";
import type { HistoryMark } from "../../src/model/history.ts";

const mark = (at: number, what: HistoryMark["what"], value: string): HistoryMark => ({
  at,
  what,
  value,
});

it.each([
  ["nothing is remembered", []],
  ["nothing changed", [mark(1, "dns", "a")]],
  ["a value came back", [mark(1, "dns", "a"), mark(6, "dns", "b"), mark(7, "dns", "a")]],
  ["it changed before the good state", [mark(1, "dns", "a"), mark(5, "dns", "b")]],
])("finds no difference where %s", (_when, marks) => {
  expect(changesSince(marks, 5)).toEqual([]);
});

it("compares the state that held then with the newest, configuration first", () => {
  const marks = [
    mark(1, "dns", "a"),
    mark(2, "epoch", "1"),
    mark(3, "dns", "b"),
    mark(6, "dns", "c"),
    mark(7, "configuration", "new"),
    mark(8, "dns", "d"),
    mark(9, "epoch", "2"),
    mark(9, "configuration", "newer"),
  ];
  expect(changesSince(marks, 5)).toEqual([
    { what: "configuration", from: "new", to: "newer", at: 9 },
    { what: "epoch", from: "1", to: "2", at: 9 },
    { what: "dns", from: "b", to: "d", at: 8 },
  ]);
});

it("goes as far back as is remembered", () => {
  const marks = [mark(1, "peers", "a"), mark(2, "peers", "b")];
  expect(changesSince(marks, Number.NEGATIVE_INFINITY)).toEqual([
    { what: "peers", from: "a", to: "b", at: 2 },
  ]);
});
