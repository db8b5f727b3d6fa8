import { describe, expect, it } from "vitest";
import { agentOverloaded } from "../../src/detectors/agent-overloaded.ts";
import type { Self } from "../../src/model/facts/self.ts";
import {
  aSelf,
  aSelfWindow,
  factsDeclared,
  factsRead,
  HOUR,
  judge,
  NOW,
  SECOND,
} from "../support/snapshot.ts";

type Change = NonNullable<Parameters<typeof aSelfWindow>[0]>;

const { lag, throttled, scheduleLag } = agentOverloaded.limits;
const limitBytes = 128 * 1024 * 1024;
const late = (ratio: number) => ({ worstLag: { job: "dns/app", lagMs: 1234, ratio } });

const judged = (change: Change, self: Partial<Self> = {}) =>
  judge(agentOverloaded, { self: aSelf({ windows: [aSelfWindow(change)], ...self }) });

const all: Change = {
  lagP99Ms: 400,
  throttledRatio: 0.5,
  ...late(0.5),
  rssBytes: 0.95 * limitBytes,
  descriptorsRatio: 1,
};

describe("is silent about", () => {
  it.each<[string, Change, Partial<Self>]>([
    ["a calm window", {}, {}],
    ["lag at its limit", { lagP99Ms: lag.default }, {}],
    ["throttling below its limit", { throttledRatio: throttled.default - 0.001 }, {}],
    ["a schedule at its limit", late(scheduleLag.default), {}],
    ["memory below nine tenths", { rssBytes: 0.899 * limitBytes }, {}],
    ["descriptors below nine tenths", { descriptorsRatio: 0.899 }, {}],
    [
      "memory without limit, and a cgroup that cannot be read",
      { rssBytes: 1e12, limitBytes: undefined, throttledRatio: undefined },
      {},
    ],
    ["its first seconds", all, { startedAt: NOW - 25 * SECOND + 1 }],
    ["a window with a reload in it", all, { reloadedAt: NOW - 15 * SECOND }],
  ])("%s", (_what, change, self) => {
    expect(judged(change, self)).toEqual([]);
  });

  it("a window that came after the bad one", () => {
    const windows = [aSelfWindow({ ...all, at: NOW - 15 * SECOND }), aSelfWindow()];
    expect(judged({}, { windows })).toEqual([]);
  });
});

it("does not judge before the first window", () => {
  expect(judged({}, { windows: [] })).toBeUndefined();
  expect(judge(agentOverloaded, {})).toBeUndefined();
});

describe("speaks", () => {
  it("of everything at once", () => {
    expect(judged(all, { startedAt: NOW - 25 * SECOND, reloadedAt: NOW - HOUR })).toEqual([
      {
        subject: {},
        severity: "warning",
        witnesses: ["self", "cgroup"],
        summary:
          "The agent does not keep up: its event loop lags 400 ms, dns/app starts 1234 ms late, its memory is at 95 % of the limit, its file descriptors are at 100 % of the limit, its CPU was throttled in 50 % of the periods",
        evidence: {
          lagMs: 400,
          throttledRatio: 0.5,
          scheduleLagMs: 1234,
          job: "dns/app",
          memoryBytes: 0.95 * limitBytes,
          limitBytes,
          descriptorsRatio: 1,
          jobsSkipped: 0,
        },
      },
    ]);
  });

  it.each<[string, Change, string]>([
    ["lag", { lagP99Ms: lag.default + 0.1 }, "warning"],
    ["a late schedule", late(scheduleLag.default + 0.001), "warning"],
    ["memory", { rssBytes: 0.9 * limitBytes }, "warning"],
    ["descriptors", { descriptorsRatio: 0.9 }, "warning"],
    ["throttling, as info while it is alone", { throttledRatio: throttled.default }, "info"],
    ["throttling and lag", { throttledRatio: throttled.default, lagP99Ms: 200 }, "warning"],
  ])("of %s", (_what, change, severity) => {
    expect(judged(change)?.map((found) => found.severity)).toEqual([severity]);
  });
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(agentOverloaded)).toEqual(factsDeclared(agentOverloaded));
});
