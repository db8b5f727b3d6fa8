import { expect, it } from "vitest";
import type { AgentEvent } from "../../../src/model/event.ts";
import { heard } from "../../support/folded.ts";
import { after, aSelfEventAt } from "../../support/observations.ts";
import { NOW } from "../../support/snapshot.ts";

const started: AgentEvent = {
  kind: "started",
  notYet: [],
  at: NOW,
  version: "1",
  targets: 1,
  probes: 0,
  listen: ":19464",
  admin: "127.0.0.1:19465",
};
const finished = (seconds: number, lagMs: number, intervalMs?: number): AgentEvent => ({
  kind: "job-finished",
  at: after(seconds),
  job: `dns/${lagMs}`,
  source: "dns",
  target: "app",
  durationMs: 3,
  lagMs,
  ...(intervalMs === undefined ? {} : { intervalMs }),
});
const skipped: AgentEvent = {
  kind: "job-skipped",
  at: after(4),
  job: "dns/app",
  target: "app",
  why: "still-running",
};
const window = { windowMs: 15_000, lagP99Ms: 3, rssBytes: 60_000_000 };

it("tells its own windows, each with its worst job and what was skipped", () => {
  const events = [
    started,
    finished(1, 100, 1_000),
    finished(2, 300, 30_000),
    finished(3, 9_000),
    skipped,
    aSelfEventAt(15, { throttledRatio: 0, limitBytes: 9 }),
    aSelfEventAt(30),
  ];
  expect(heard("self", events)).toEqual({
    startedAt: NOW,
    windows: [
      {
        at: after(15),
        ...window,
        throttledRatio: 0,
        limitBytes: 9,
        jobsSkipped: 1,
        worstLag: { job: "dns/100", lagMs: 100, ratio: 0.1 },
      },
      { at: after(30), ...window, jobsSkipped: 0 },
    ],
  });
});

it("keeps 12 windows, and remembers when the configuration was read", () => {
  const loaded: AgentEvent = {
    kind: "config-loaded",
    at: after(9),
    file: "/c/a.yaml",
    changed: [],
  };
  const windows = Array.from({ length: 20 }, (_, i) => aSelfEventAt(15 * (i + 1)));
  const fact = heard("self", [started, loaded, ...windows]);
  expect([fact?.windows.length, fact?.reloadedAt]).toEqual([12, after(9)]);
});

const crashed = (seconds: number, detector = "dns-stale"): AgentEvent => ({
  kind: "detector-crashed",
  at: after(seconds),
  detector,
  target: "app",
  errorText: "Cannot read properties of undefined\n  at x",
});
const ran = (seconds: number, durationMs: number): AgentEvent => ({
  kind: "detector-ran",
  at: after(seconds),
  detector: "dns-stale",
  durationMs,
});
const entry = {
  crashes: 0,
  lastAt: NOW,
  errorText: "",
  isBroken: false,
  lastDurationsMs: [] as readonly number[],
};
const broken = {
  ...entry,
  crashes: 1,
  errorText: "Cannot read properties of undefined",
  isBroken: true,
};

it.each<[string, readonly AgentEvent[], object]>([
  ["nothing happened", [started], {}],
  ["it is quick", [started, ran(0, 2)], {}],
  ["it is slow", [ran(0, 300)], { "dns-stale": { ...entry, lastDurationsMs: [300] } }],
  [
    "it was slow, and is quick",
    [ran(0, 300), ran(1, 260), ran(2, 1), ran(3, 1)],
    {
      "dns-stale": { ...entry, lastDurationsMs: [260, 1, 1] },
    },
  ],
  ["it threw", [crashed(0)], { "dns-stale": broken }],
  [
    "it threw, and ran for another target at once",
    [crashed(0), ran(0, 1)],
    {
      "dns-stale": { ...broken, lastDurationsMs: [1] },
    },
  ],
  [
    "it threw, and runs again",
    [crashed(0), ran(1, 1)],
    {
      "dns-stale": { ...broken, isBroken: false, lastDurationsMs: [1] },
    },
  ],
])("remembers of a detector what is wrong when %s", (_when, events, detectors) => {
  expect(heard("crashes", events)).toEqual({ detectors });
});

it("remembers 64 detectors", () => {
  const many = Array.from({ length: 80 }, (_, i) => crashed(i, `code-${i}`));
  expect(Object.keys(heard("crashes", many)?.detectors ?? {})).toHaveLength(64);
});

const rejected: AgentEvent = {
  kind: "config-rejected",
  at: after(5),
  file: "/etc/grpc-doctor/config.yaml",
  faults: ["3:1: targts: …", "4:1: …"],
  runningOn: "last-good",
  runningSince: NOW,
};
const loaded: AgentEvent = {
  kind: "config-loaded",
  at: after(6),
  file: "/c/config.yaml",
  changed: [],
};

it.each<[string, readonly AgentEvent[], object]>([
  ["none was read since the start", [started], {}],
  ["it was taken", [loaded], { file: "config.yaml" }],
  ["it was taken at last", [rejected, loaded], { file: "config.yaml" }],
  [
    "it was refused",
    [rejected],
    {
      file: "config.yaml",
      rejected: {
        at: after(5),
        faults: 2,
        firstFault: "3:1: targts: …",
        runningOn: "last-good",
        runningSince: NOW,
      },
    },
  ],
])("tells of the newest configuration that %s", (_how, events, want) => {
  expect(heard("configState", events)).toEqual(want);
});
