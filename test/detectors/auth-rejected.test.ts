import { describe, expect, it } from "vitest";
import { authRejected } from "../../src/detectors/auth-rejected.ts";
import type { AppScrape } from "../../src/model/facts/app-calls.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ProbeHistory } from "../../src/model/facts/probes.ts";
import type { StatusName } from "../../src/model/status.ts";
import {
  aBaseline,
  anExpectation,
  aProbeHistory,
  aProbeRun,
  aTargetSnapshot,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  knownFacts,
  MINUTE,
  NOW,
  SECOND,
  series,
  someAppCalls,
  someProbes,
} from "../support/snapshot.ts";

type RunChange = NonNullable<Parameters<typeof aProbeRun>[0]>;
type Added = Readonly<Partial<Record<StatusName, number>>>;

const good: RunChange = {};
const denied: RunChange = {
  outcome: "failed",
  phase: "rpc",
  reason: "status",
  status: "UNAUTHENTICATED",
};

/** What each minute adds, four scrapes a minute; the last minute is the newest. */
const minutes = (...added: readonly Added[]) =>
  someAppCalls({
    scrapes: series(4 * added.length + 1, 15 * SECOND, (at, index): AppScrape => {
      const counts: Partial<Record<StatusName, number>> = {};
      const passed = added.map((minute, i) => [minute, Math.min(4, Math.max(0, index - 4 * i))]);
      for (const [minute, quarters] of passed as [Added, number][]) {
        for (const [code, count] of Object.entries(minute) as [StatusName, number][]) {
          counts[code] = (counts[code] ?? 0) + (count * quarters) / 4;
        }
      }
      return { at, handledByCode: counts };
    }),
  });
const same = (added: Added, count = 5) => minutes(...Array<Added>(count).fill(added));

const metrics = (appCalls: Facts["appCalls"], mean?: number) =>
  judge(
    authRejected,
    { expectation: anExpectation(), appCalls },
    { usual: { rejectedRatio: mean === undefined ? undefined : aBaseline({ mean }) } },
  );

const history = (changes: readonly RunChange[], more: Change<ProbeHistory> = {}) =>
  aProbeHistory({
    hasCredentials: true,
    lastOkAt: NOW - 5 * MINUTE,
    runs: series(changes.length, 30 * SECOND, (at, index) => aProbeRun({ at, ...changes[index] })),
    ...more,
  });
const probe = (
  changes: readonly RunChange[],
  more: Change<ProbeHistory> = {},
  facts: Partial<Facts> = {},
) =>
  judge(
    authRejected,
    {
      expectation: anExpectation(),
      probes: someProbes({ probes: { "get-order": history(changes, more) } }),
      ...facts,
    },
    { usual: { rejectedRatio: aBaseline({ mean: 0.01 }) } },
  );

describe("by metrics, is silent about", () => {
  it.each<[string, Facts["appCalls"], number | undefined]>([
    ["callers that are let in", same({ OK: 1000 }), 0],
    [
      "a login where a third of the passwords is wrong, as usual",
      same({ OK: 600, UNAUTHENTICATED: 300 }),
      0.33,
    ],
    ["a gate that turns most away", same({ OK: 100, PERMISSION_DENIED: 900 }), 0.5],
    [
      "a scanner of two minutes",
      minutes(
        { OK: 100 },
        { OK: 100 },
        { OK: 100 },
        { OK: 100, UNAUTHENTICATED: 500 },
        { OK: 100, UNAUTHENTICATED: 500 },
      ),
      0,
    ],
    [
      "a scanner that has gone",
      minutes(...Array<Added>(4).fill({ OK: 100, UNAUTHENTICATED: 500 }), { OK: 100 }),
      0,
    ],
    ["a batch of few calls with an old token", same({ OK: 10, UNAUTHENTICATED: 19 }), 0],
    ["a share just below the limit", same({ OK: 961, UNAUTHENTICATED: 39 }), 0],
    ["a share that is not three times the usual", same({ OK: 800, UNAUTHENTICATED: 200 }), 0.07],
    ["callers that are not found", same({ OK: 100, NOT_FOUND: 900 }), 0],
    [
      "many rejections, before anything is usual, of too few calls",
      same({ UNAUTHENTICATED: 19 }),
      undefined,
    ],
  ])("%s", (_what, appCalls, mean) => {
    expect(metrics(appCalls, mean)).toEqual([]);
  });
});

describe("does not judge", () => {
  it.each<[string, Facts["appCalls"], number | undefined]>([
    ["before the metrics reach back far enough", same({ UNAUTHENTICATED: 500 }, 2), 0],
    ["a share that may be usual here", same({ OK: 500, UNAUTHENTICATED: 500 }), undefined],
    [
      "across a gap",
      someAppCalls({
        scrapes: [0, 130, 260, 390].map((seconds) => ({
          at: NOW - (390 - seconds) * SECOND,
          handledByCode: { UNAUTHENTICATED: 100 * seconds },
        })),
      }),
      0,
    ],
  ])("%s", (_what, appCalls, mean) => {
    expect(metrics(appCalls, mean)).toBeUndefined();
  });

  it.each<[string, Change<ProbeHistory>]>([
    ["a probe without credentials", { hasCredentials: false }],
    ["a probe that was never let in: its credentials may be wrong", { lastOkAt: undefined }],
  ])("%s", (_what, more) => {
    expect(probe([denied, denied, denied], more)).toBeUndefined();
  });

  it("without metrics and probes", () => {
    expect(judge(authRejected, { expectation: anExpectation() })).toBeUndefined();
  });
});

describe("by probes, is silent about", () => {
  it.each<[string, readonly RunChange[]]>([
    ["one that is let in", [good, good, good]],
    ["two rejections in a row, while a token is renewed", [good, denied, denied]],
    ["rejections that a pass parts", [denied, denied, good, denied, denied]],
    ["failures of another kind", [denied, denied, { ...denied, status: "UNAVAILABLE" }]],
    [
      "a rejection that it asks for",
      [
        { ...denied, outcome: "passed" },
        { ...denied, outcome: "passed" },
        { ...denied, outcome: "passed" },
      ],
    ],
    [
      "a proxy's demand, told by HTTP",
      [
        { ...denied, phase: "http2" },
        { ...denied, phase: "http2" },
        { ...denied, phase: "http2" },
      ],
    ],
  ])("%s", (_what, changes) => {
    expect(probe(changes)).toEqual([]);
  });
});

describe("speaks", () => {
  it("of a share that is three times the usual, minute by minute", () => {
    expect(metrics(same({ OK: 80, UNAUTHENTICATED: 20 }), 0.06)).toEqual([
      {
        subject: {},
        severity: "warning",
        witnesses: ["metrics"],
        summary:
          "60 of 300 calls (20 %) were rejected in 3 min, most of them UNAUTHENTICATED, usually 6 %",
        evidence: {
          rejected: 60,
          calls: 300,
          ratio: 0.2,
          baselineRatio: 0.06,
          status: "UNAUTHENTICATED",
          stepAt: "2026-01-15T11:57:00.000Z",
        },
        beganAt: NOW - 3 * MINUTE,
      },
    ]);
  });

  it("of the limits, just past them", () => {
    expect(metrics(same({ OK: 950, UNAUTHENTICATED: 50 }), 0)).toHaveLength(1);
    expect(metrics(same({ OK: 10, PERMISSION_DENIED: 20 }), 0)).toMatchObject([
      { evidence: { status: "PERMISSION_DENIED" } },
    ]);
  });

  it("of nearly all, where two fifths are usual", () => {
    expect(metrics(same({ OK: 10, UNAUTHENTICATED: 90 }), 0.4)).toHaveLength(1);
    expect(metrics(same({ OK: 11, UNAUTHENTICATED: 89 }), 0.4)).toEqual([]);
  });

  it("only as information while nothing is known to be usual", () => {
    expect(metrics(same({ OK: 2, UNAUTHENTICATED: 20 }))).toEqual([
      {
        subject: {},
        severity: "info",
        witnesses: ["metrics"],
        summary:
          "60 of 66 calls (91 %) were rejected in 3 min, most of them UNAUTHENTICATED; whether that is usual here is not known yet",
        evidence: { rejected: 60, calls: 66, ratio: 60 / 66, status: "UNAUTHENTICATED" },
        beganAt: NOW - 3 * MINUTE,
      },
    ]);
  });

  it("of a probe that was let in and is rejected three times in a row", () => {
    expect(probe([good, denied, denied, denied])).toEqual([
      {
        subject: { probe: "get-order" },
        severity: "warning",
        witnesses: ["probe"],
        summary:
          "Probe get-order was let in before, and is rejected 3 times in a row now: UNAUTHENTICATED",
        evidence: { rejected: 3, status: "UNAUTHENTICATED", stepAt: "2026-01-15T11:59:00.000Z" },
        beganAt: NOW - MINUTE,
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
      },
    ]);
  });

  it("of a probe with a client certificate", () => {
    const expectation = anExpectation({ hasClientCertificate: true });
    const runs = [denied, denied, denied];
    expect(probe(runs, { hasCredentials: false }, { expectation })).toHaveLength(1);
  });

  it("of the first rejection of a probe that runs seldom", () => {
    expect(probe([good, denied], { everyMs: 5 * MINUTE })).toHaveLength(1);
  });

  it.each([
    ["half of the calls are rejected too", { OK: 50, UNAUTHENTICATED: 50 }, "critical"],
    ["fewer are", { OK: 51, UNAUTHENTICATED: 49 }, "warning"],
  ])("of the probe alone, with what metrics say, when %s", (_when, added, severity) => {
    expect(probe([denied, denied, denied], {}, { appCalls: same(added) })).toMatchObject([
      { subject: { probe: "get-order" }, severity, witnesses: ["probe", "metrics"] },
    ]);
  });
});

it("learns the share of rejections between two scrapes", () => {
  const learnt = (facts: Partial<Facts>) =>
    authRejected.samples(
      aTargetSnapshot({ facts: knownFacts({ expectation: anExpectation(), ...facts }) }),
    );
  expect(learnt({ appCalls: same({ OK: 60, PERMISSION_DENIED: 20 }) })).toEqual({
    rejectedRatio: { value: 0.25, weight: 20 },
  });
  expect(learnt({ appCalls: same({}) })).toEqual({});
  expect(learnt({})).toEqual({});
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(authRejected)).toEqual(factsDeclared(authRejected));
});
