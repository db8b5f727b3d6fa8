import { describe, expect, it } from "vitest";
import { healthNotServing } from "../../src/detectors/health-not-serving.ts";
import { probeFailing } from "../../src/detectors/probe-failing.ts";
import { streamsRefused } from "../../src/detectors/streams-refused.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import {
  anXray,
  anXrayReport,
  aProbeHistory,
  aProbeRun,
  factsDeclared,
  factsRead,
  judge,
  NOW,
  SECOND,
  series,
  someProbes,
} from "../support/snapshot.ts";

type RunChange = NonNullable<Parameters<typeof aProbeRun>[0]>;

const good: RunChange = {};
const refused: RunChange = {
  outcome: "failed",
  phase: "rpc",
  reason: "status",
  status: "UNAVAILABLE",
  statusText: "Stream refused by server",
};
const other: RunChange = { ...refused, statusText: "no healthy upstream" };

const probes = (runs: readonly RunChange[], everyMs = 5 * SECOND): Pick<Facts, "probes"> => ({
  probes: someProbes({
    probes: {
      "get-order": aProbeHistory({
        everyMs,
        runs: series(runs.length, everyMs, (at, index) => aProbeRun({ at, ...runs[index] })),
      }),
    },
  }),
});

/** X-rays whose call was reset with this code, 10 s apart. */
const xrays = (resetCode: number, count: number): Pick<Facts, "xray"> => ({
  xray: anXray({
    latest: anXrayReport({
      outcome: "failed",
      phase: "rpc",
      reason: resetCode === 7 ? "stream_refused" : "stream_reset",
      rpc: { path: "/grpc.health.v1.Health/Check", resetCode },
    }),
    same: { since: NOW - (count - 1) * 10 * SECOND, lastAt: NOW, count },
  }),
});

describe("is silent about", () => {
  it.each<[string, Partial<Facts>]>([
    ["probes that pass", probes([good, good, good])],
    ["calls that end UNAVAILABLE for another reason", probes([other, other, other])],
    ["one refusal", probes([good, refused])],
    ["refusals that are over", probes([refused, refused, refused, good])],
    [
      "refusals that are old",
      probes([refused, refused, ...Array<RunChange>(9).fill(good), refused]),
    ],
    ["X-rays that pass", { xray: anXray() }],
    ["X-rays that were reset otherwise", xrays(2, 5)],
    ["one X-ray that was refused", xrays(7, 1)],
  ])("%s", (_what, facts) => {
    expect(judge(streamsRefused, facts)).toEqual([]);
  });
});

it.each<[string, Partial<Facts>]>([
  ["two refusals, as in a race with a drain", probes([good, refused, refused])],
  ["refusals that lie together", probes([refused, refused, refused], 2 * SECOND)],
  ["two X-rays that were refused", xrays(7, 2)],
])("suspects, and tells not yet, %s", (_what, facts) => {
  expect(judge(streamsRefused, facts)).toMatchObject([{ isSuspicion: true }]);
});

it("does not judge without a call of our own", () => {
  expect(judge(streamsRefused, {})).toBeUndefined();
});

describe("speaks", () => {
  it("of three refusals of a probe among others, the newest among them", () => {
    expect(judge(streamsRefused, probes([refused, good, refused, good, refused]))).toEqual([
      {
        subject: { side: "server" },
        witnesses: ["probe"],
        isDeterministic: true,
        summary: "3 of 5 calls were refused with REFUSED_STREAM within 20 s",
        evidence: { refused: 3, calls: 5 },
        beganAt: NOW - 20 * SECOND,
      },
    ]);
  });

  it("of X-rays in a row that were refused, and both together", () => {
    const [found] =
      judge(streamsRefused, { ...probes([refused, refused, refused]), ...xrays(7, 3) }) ?? [];
    expect(found).toMatchObject({
      witnesses: ["probe", "preflight"],
      evidence: { refused: 6, calls: 6 },
      beganAt: NOW - 20 * SECOND,
    });
  });

  it("by the reason of a client that tells it", () => {
    const told: RunChange = { ...refused, reason: "stream_refused", statusText: undefined };
    expect(judge(streamsRefused, probes([told, told, told]))).toHaveLength(1);
  });

  it("at the limits, to the digit", () => {
    const facts = probes([refused, refused, refused, refused]);
    const isTold = (limits: { refused?: number; spread?: number }) =>
      judge(streamsRefused, facts, { limits })?.[0]?.isSuspicion === undefined;
    expect([isTold({ refused: 4 }), isTold({ refused: 5 })]).toEqual([true, false]);
    expect([isTold({ spread: 15_000 }), isTold({ spread: 15_001 })]).toEqual([true, false]);
  });
});

it("explains a probe that was refused, and errors of health, not a status that was declared", () => {
  const cause = { code: streamsRefused.code, subject: { side: "server" }, evidence: {} };
  const probe = (status: string) => probeFailing.explainedBy(cause, { phase: "rpc", status }, {});
  const health = (why: string) => healthNotServing.explainedBy(cause, { cause: why }, {});
  expect([probe("UNAVAILABLE"), probe("INTERNAL")]).toEqual([true, false]);
  expect([health("check-error"), health("declared")]).toEqual([true, false]);
});

it("reads what it declares", () => {
  expect(factsRead(streamsRefused)).toEqual(factsDeclared(streamsRefused));
});
