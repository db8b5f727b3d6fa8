import { describe, expect, it } from "vitest";
import {
  isManyOf,
  lastCalls,
  lastPolls,
  lastWindow,
  linearTrend,
  mean,
  meanAgeMs,
  median,
  variation,
} from "../../src/model/counters.ts";

const polls = (...ats: readonly number[]) => ats.map((at) => ({ at, calls: at / 10 }));
const callsOf = (from: { calls: number }, to: { calls: number }) => to.calls - from.calls;
const line = (...values: readonly number[]) =>
  values.map((value, index) => ({ at: index * 60_000, value }));

describe("a window", () => {
  it.each([
    ["no polls", [], 60],
    ["too short a time", [0, 59], 60],
    ["a gap that makes it more than twice as long", [0, 121], 60],
  ])("is not known for %s", (_what, ats, ms) => {
    expect(lastWindow(polls(...ats), ms)).toBeUndefined();
  });

  it.each([
    ["exactly the window", [0, 20, 60, 80], 20, 60],
    ["one poll more", [0, 15, 50, 80], 15, 65],
    ["twice as long at most", [0, 120], 0, 120],
  ])("covers %s", (_what, ats, fromAt, ms) => {
    const span = lastWindow(polls(...ats), 60);
    expect([span?.from.at, span?.ms, span?.polls.length]).toEqual([
      fromAt,
      ms,
      ats.filter((at) => at >= fromAt).length,
    ]);
  });
});

describe("the newest polls", () => {
  it("are known once there are as many", () => {
    expect(lastPolls(polls(0, 10), 3)).toBeUndefined();
    expect(lastPolls(polls(0, 10, 20, 30), 3)?.from.at).toBe(10);
    expect(lastPolls(polls(0, 10), 1)).toBeUndefined();
  });

  it("that hold so many calls are whole polls, or all that there are", () => {
    expect(lastCalls(polls(0), 3, callsOf)).toBeUndefined();
    expect(lastCalls(polls(0, 10, 20, 30), 2, callsOf)?.from.at).toBe(10);
    expect(lastCalls(polls(0, 25, 50), 3, callsOf)?.from.at).toBe(0);
    expect(lastCalls(polls(0, 10), 30, callsOf)?.from.at).toBe(0);
  });

  it.each([
    [10, 30, true],
    [9, 20, false],
    [10, 31, false],
    [11, 33, true],
  ])("%i bad ones of %i are many: %s", (bad, all, isMany) => {
    expect(isManyOf(bad, all, 10)).toBe(isMany);
  });
});

it("knows mean, median and variation of something, and of nothing nothing", () => {
  expect([mean([1, 2, 6]), mean([])]).toEqual([3, undefined]);
  expect([median([9, 1, 5]), median([4, 1, 9, 5]), median([])]).toEqual([5, 4, undefined]);
  expect([variation([10, 30]), variation([2, 2]), variation([0, 0]), variation([])]).toEqual([
    0.5,
    0,
    undefined,
    undefined,
  ]);
});

it("knows the age of calls by Little's law: 20 in flight at 10 a second are 2 s old", () => {
  expect(meanAgeMs(20, 600, 60_000)).toBe(2000);
  expect(meanAgeMs(20, 0, 60_000)).toBeUndefined();
});

describe("a line", () => {
  it.each([
    ["rises", [0, 5, 10], { slopePerMinute: 5, rSquared: 1 }],
    ["falls", [10, 5, 0], { slopePerMinute: -5, rSquared: 1 }],
    ["is flat", [5, 5, 5], { slopePerMinute: 0, rSquared: 0 }],
    ["scatters", [0, 10, 5], { slopePerMinute: 2.5, rSquared: 0.25 }],
  ])("%s", (_how, values, trend) => {
    expect(linearTrend(line(...values), ({ value }) => value)).toEqual(trend);
  });

  it("needs three polls, at more than one instant", () => {
    expect(linearTrend(line(1, 2), ({ value }) => value)).toBeUndefined();
    const same = [1, 2, 3].map((value) => ({ at: 7, value }));
    expect(linearTrend(same, ({ value }) => value)).toBeUndefined();
  });
});
