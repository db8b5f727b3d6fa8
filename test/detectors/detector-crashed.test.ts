import { describe, expect, it } from "vitest";
import { detectorCrashed } from "../../src/detectors/detector-crashed.ts";
import type { Crashes } from "../../src/model/facts/crashes.ts";
import { factsDeclared, factsRead, judge, NOW, someCrashes } from "../support/snapshot.ts";

const budget = detectorCrashed.limits.budget.default;
const slow = budget + 1;

function judged(change: Partial<Crashes["detectors"][string]>, timingTrusted = true) {
  const record = { crashes: 2, lastAt: NOW, errorText: "x is not a function", isBroken: false };
  const detectors = { "dns-stale": { ...record, lastDurationsMs: [], ...change } };
  return judge(detectorCrashed, { crashes: someCrashes({ detectors }) }, { timingTrusted });
}

it.each([
  ["was broken and works again", {}],
  ["was slow twice", { lastDurationsMs: [slow, slow] }],
  ["was quick once in three", { lastDurationsMs: [slow, budget, slow] }],
  ["was slow before", { lastDurationsMs: [slow, slow, slow, budget] }],
])("is silent about a detector that %s", (_what, change) => {
  expect(judged(change)).toEqual([]);
});

it("is silent where none ever failed, and does not judge what it does not know", () => {
  expect(judge(detectorCrashed, { crashes: someCrashes() })).toEqual([]);
  expect(judge(detectorCrashed, {})).toBeUndefined();
});

it("blames no rule for its time while the agent's own timing cannot be trusted", () => {
  const last = { lastDurationsMs: [slow, slow, slow] };
  expect(judged(last, false)).toEqual([]);
  expect(judged(last)).toHaveLength(1);
  expect(judged({ ...last, isBroken: true }, false)).toHaveLength(1);
});

describe("speaks", () => {
  it("of one that threw", () => {
    expect(judged({ isBroken: true })).toEqual([
      {
        subject: { detector: "dns-stale" },
        witnesses: ["self"],
        summary: "The rule dns-stale throws (2 so far): x is not a function",
        evidence: { crashes: 2, errorText: "x is not a function" },
      },
    ]);
  });

  it("of one that was slow three times in a row", () => {
    expect(judged({ lastDurationsMs: [1, slow, 300, 400], crashes: 0 })).toEqual([
      {
        subject: { detector: "dns-stale" },
        witnesses: ["self"],
        summary: "The rule dns-stale took 251 ms or more three times in a row",
        evidence: { crashes: 0 },
      },
    ]);
  });
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(detectorCrashed)).toEqual(factsDeclared(detectorCrashed));
});
