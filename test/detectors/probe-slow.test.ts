import { describe, expect, it } from "vitest";
import { probeSlow } from "../../src/detectors/probe-slow.ts";
import type { ProbeHistory } from "../../src/model/facts/probes.ts";
import {
  aProbeHistory,
  aProbeRun,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  SECOND,
  series,
  someProbes,
} from "../support/snapshot.ts";

type RunChange = NonNullable<Parameters<typeof aProbeRun>[0]>;
type HistoryChange = { readonly [K in keyof ProbeHistory]?: ProbeHistory[K] | undefined };

const OBJECTIVE = 200;
const slow: RunChange = { ms: OBJECTIVE + 1, phaseMs: { dns: 1, rpc: 190 } };
const fast: RunChange = { ms: OBJECTIVE };

function judged(changes: readonly RunChange[], history: HistoryChange = {}, timingTrusted = true) {
  const runs = series(changes.length, 30 * SECOND, (at, index) =>
    aProbeRun({ at, ...changes[index] }),
  );
  const probe = aProbeHistory({ runs, objectiveMs: OBJECTIVE, ...history });
  return judge(
    probeSlow,
    { probes: someProbes({ probes: { "get-order": probe } }) },
    { timingTrusted },
  );
}

describe("is silent about", () => {
  it.each<[string, readonly RunChange[], HistoryChange]>([
    ["runs exactly at the objective", [fast, fast, fast, fast, fast], {}],
    ["two slow ones of five", [slow, slow, fast, fast, fast], {}],
    ["slow ones that are long ago", [slow, slow, slow, fast, fast, fast], {}],
    ["failed ones", [fast, slow, slow, { ...slow, outcome: "failed" }], {}],
    ["runs while we were slow ourselves", [fast, slow, slow, { ...slow, isSuspect: true }], {}],
    [
      "the first run of a kept channel",
      [{ ...slow, isFirstOnChannel: true }, fast, slow, slow],
      {},
    ],
    ["one slow of three, where it runs seldom", [slow, fast, fast], { everyMs: 5 * MINUTE }],
    ["two slow ones, where it runs more often", [fast, slow, slow], { everyMs: 5 * MINUTE - 1 }],
  ])("%s", (_what, changes, history) => {
    expect(judged(changes, history)).toEqual([]);
  });
});

describe("does not judge", () => {
  it("without objective, without probe, nor while our own timing is not trusted", () => {
    expect(judged([slow, slow, slow], { objectiveMs: undefined })).toBeUndefined();
    expect(judge(probeSlow, {})).toBeUndefined();
    expect(judged([slow, slow, slow], {}, false)).toBeUndefined();
  });

  it("before a run passed, or while each that did was slow, and they are too few", () => {
    expect(judged([{ ...fast, outcome: "failed" }])).toBeUndefined();
    expect(judged([slow, slow])).toBeUndefined();
  });
});

describe("speaks", () => {
  it("of three slow runs of five, with the phase that took longest", () => {
    expect(judged([slow, slow, fast, fast, { ...slow, ms: 300 }])).toEqual([
      {
        subject: { probe: "get-order" },
        severity: "warning",
        witnesses: ["probe"],
        summary:
          "3 of the last 5 runs of get-order took longer than 200 ms, the last of them 300 ms",
        evidence: {
          method: "order.OrderService/GetOrder",
          objectiveMs: 200,
          probeMs: 300,
          medianMs: 201,
          missed: 3,
          runs: 5,
          slowPhase: "rpc",
          phaseMs: 190,
        },
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
      },
    ]);
  });

  it.each<[string, readonly RunChange[], HistoryChange]>([
    ["as soon as three were slow", [slow, slow, slow], {}],
    ["of two of three, where it runs seldom", [slow, fast, slow], { everyMs: 5 * MINUTE }],
    ["of two of three, where it runs by cron", [slow, fast, slow], { everyMs: undefined }],
    [
      "of first runs, where each connection is fresh",
      [{ ...slow, isFirstOnChannel: true }, slow, slow],
      { connection: "fresh" },
    ],
  ])("%s", (_when, changes, history) => {
    expect(judged(changes, history)).toHaveLength(1);
  });

  it("without a phase, where none was timed", () => {
    const untimed = { ...slow, phaseMs: {} };
    const evidence = judged([untimed, untimed, untimed])?.[0]?.evidence ?? {};
    expect(Object.keys(evidence)).not.toContain("slowPhase");
  });
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(probeSlow)).toEqual(factsDeclared(probeSlow));
});
