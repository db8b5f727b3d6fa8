import { describe, expect, it } from "vitest";
import { dnsFailing } from "../../src/detectors/dns-failing.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Lookup, Resolution } from "../../src/model/facts/resolution.ts";
import {
  anUpstreamExpectation,
  aPeer,
  aResolution,
  type Change,
  factsDeclared,
  factsRead,
  HOUR,
  judge,
  NOW,
  SECOND,
  series,
  somePeers,
  someUpstreamCalls,
} from "../support/snapshot.ts";

const { failures, spread, timeout, slow, window } = dnsFailing.limits;
const name = "inventory.shop.svc";
const answered = (at: number, durationMs = 2): Lookup => ({ at, outcome: "answered", durationMs });
const failed = (at: number): Lookup => ({
  at,
  outcome: "failed",
  cause: "nxdomain",
  durationMs: 3,
});
/** So many failures, the last one now, after an answer. */
const failing = (count: number, everyMs: number): readonly Lookup[] => [
  answered(NOW - HOUR),
  ...series(count, everyMs, failed),
];
const resolutionOf = (change: Change<Resolution>) => ({
  resolution: aResolution({
    lookups: failing(failures.default, spread.default / 2),
    answers: [],
    answeredAt: undefined,
    seen: {},
    triedNames: [`${name}.shop.svc.cluster.local`, name],
    ...change,
  }),
});
/** Each test changes one thing of it. */
const judged = (change: Change<Resolution>, facts: Partial<Facts> = {}, timingTrusted = true) =>
  judge(
    dnsFailing,
    { ...resolutionOf(change), expectation: anUpstreamExpectation(), ...facts },
    { timingTrusted },
  );

const symptom = {
  subject: { name },
  severity: "critical",
  witnesses: ["dns"],
  isDeterministic: true,
  summary: `${name} does not exist (NXDOMAIN): 3 lookups failed over 10 s`,
  evidence: {
    cause: "nxdomain",
    attempts: 3,
    spanSeconds: 10,
    triedNames: [`${name}.shop.svc.cluster.local`, name],
    lookupMs: 3,
  },
};

/** Lookups, the slow ones marked by their durations; every 20 s, the last one now. */
const durations = (...ms: number[]) => ({
  lookups: series(ms.length, 20 * SECOND, (at, index) => answered(at, ms[index])),
});
const over = slow.default + 1;

it.each<[string, Change<Resolution>]>([
  ["all is answered", { lookups: series(5, SECOND, (at) => answered(at)) }],
  ["nothing was looked up", { lookups: [] }],
  [
    "one failure less than the limit is seen",
    { lookups: failing(failures.default - 1, spread.default) },
  ],
  [
    "they lie closer than the limit",
    { lookups: failing(failures.default, spread.default / 2 - 1) },
  ],
  ["the newest is answered", { lookups: [...failing(5, 10 * SECOND), answered(NOW)] }],
  [
    "answers take exactly the timeout",
    { lookups: series(3, 5 * SECOND, (at) => answered(at, timeout.default)) },
  ],
  ["answers take exactly the slow limit", durations(...Array<number>(5).fill(slow.default))],
  ["four lookups are slow: too few to say", durations(over, over, over, over)],
  ["one of many is slow", durations(2, 2, over, 2, 2)],
  ["slow ones lie closer than the window", durations(2, over, 2, over, 2)],
  [
    "slow ones lie further back than the newest ten",
    durations(over, over, ...Array<number>(9).fill(2), over),
  ],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it("does not judge a name that was never looked up", () => {
  expect(judge(dnsFailing, {})).toBeUndefined();
});

it("does not judge slowness while its own timing cannot be trusted", () => {
  expect(judged(durations(over, 2, 2, over, over), {}, false)).toBeUndefined();
});

it("reports failures even while its own timing cannot be trusted", () => {
  expect(judged({}, {}, false)).toEqual([symptom]);
});

it.each<[Lookup["cause"], string]>([
  ["nxdomain", "does not exist (NXDOMAIN)"],
  ["no-data", "has neither an IPv4 nor an IPv6 address"],
  ["servfail", "meets a failing DNS server (SERVFAIL)"],
  ["refused", "is refused by the DNS server (REFUSED)"],
  ["timeout", "gets no answer from DNS"],
])("reports %s in words", (cause = "timeout", words) => {
  const lookups = failing(3, 5 * SECOND).map((lookup) => ({ ...lookup, cause }));
  expect(judged({ lookups })).toEqual([
    {
      ...symptom,
      summary: `${name} ${words}: 3 lookups failed over 10 s`,
      evidence: { ...symptom.evidence, cause },
    },
  ]);
});

it.each<[string, Change<Resolution>, Partial<Facts>, object]>([
  ["lookups fail in a row", {}, {}, symptom],
  [
    "answers come later than the limit",
    { lookups: series(3, 5 * SECOND, (at) => answered(at, timeout.default + 1)) },
    {},
    {
      ...symptom,
      summary: `${name} gets no answer from DNS: 3 lookups failed over 10 s`,
      evidence: { ...symptom.evidence, cause: "timeout", lookupMs: timeout.default + 1 },
    },
  ],
  [
    "the run began before the oldest lookup that is kept",
    { failing: { since: NOW - 60 * SECOND, lastAt: NOW, count: 13, cause: "nxdomain" } },
    { expectation: anUpstreamExpectation({ startupMs: 0 }) },
    {
      ...symptom,
      summary: `${name} does not exist (NXDOMAIN): 13 lookups failed over 60 s`,
      evidence: { ...symptom.evidence, attempts: 13, spanSeconds: 60 },
    },
  ],
  [
    "it was answered before",
    { answers: ["10.0.0.9"], answeredAt: NOW - HOUR },
    {},
    {
      ...symptom,
      evidence: {
        ...symptom.evidence,
        lastAnswer: ["10.0.0.9"],
        lastAnswerAt: "2026-01-15T11:00:00.000Z",
      },
    },
  ],
  [
    "the app lives on, with connections to addresses answered before",
    { seen: aResolution().seen },
    { peers: somePeers() },
    { ...symptom, severity: "warning" },
  ],
  [
    "the app has no connection to them any more",
    { seen: aResolution().seen },
    { peers: somePeers({ peers: [aPeer({ connections: 0 })] }) },
    symptom,
  ],
  [
    "the app is connected to other addresses only",
    { seen: aResolution().seen },
    { peers: somePeers({ peers: [aPeer({ address: "10.0.0.7" })] }) },
    symptom,
  ],
  [
    "the app has two peers, one of them answered before",
    { seen: aResolution().seen },
    { peers: somePeers({ peers: [aPeer({ address: "10.0.0.7" }), aPeer()] }) },
    { ...symptom, severity: "warning" },
  ],
  [
    "the app's own resolver says so too",
    {},
    {
      upstreamCalls: someUpstreamCalls({
        polls: someUpstreamCalls()
          .polls.slice(-2)
          .map((poll, index) => ({ ...poll, lastError: ["", "no such host"][index] ?? "" })),
      }),
    },
    { ...symptom, evidence: { ...symptom.evidence, appError: "no such host" } },
  ],
  ["the app's channels say nothing", {}, { upstreamCalls: someUpstreamCalls() }, symptom],
  [
    "the app's channels were never read",
    {},
    { upstreamCalls: someUpstreamCalls({ polls: [] }) },
    symptom,
  ],
])("reports it when %s", (_when, change, facts, expected) => {
  expect(judged(change, facts)).toEqual([expected]);
});

it("warns of a name that resolves slowly", () => {
  expect(judged(durations(over, 2, 2, over + 499, 2))).toEqual([
    {
      subject: { name },
      severity: "warning",
      witnesses: ["dns"],
      summary: `${name} resolves slowly: 2 of 5 lookups took more than 1000 ms, one of them 1500 ms`,
      evidence: {
        cause: "slow",
        attempts: 2,
        spanSeconds: window.default / 1000,
        triedNames: symptom.evidence.triedNames,
        lookupMs: 1500,
      },
    },
  ]);
});

it("calls it slow, not silent, where nobody answers for one type of address", () => {
  const { lookups } = durations(...Array<number>(5).fill(timeout.default + 5));
  const dropped = lookups.map((lookup) => ({ ...lookup, unanswered: "AAAA" as const }));
  expect(judged({ lookups: dropped })).toMatchObject([
    {
      severity: "warning",
      summary: `${name} resolves slowly: 5 of 5 lookups took more than 1000 ms, one of them 3005 ms, as nobody answers for AAAA`,
      evidence: { cause: "slow", unanswered: "AAAA" },
    },
  ]);
  expect(judged({ lookups })).toMatchObject([{ evidence: { cause: "timeout" } }]);
});

it("counts only lookups that were answered as slow", () => {
  const { lookups } = durations(over, 2, 2, 2, over);
  const withFailure = lookups.map((lookup, index) =>
    index === 0 ? { ...lookup, outcome: "failed" as const } : lookup,
  );
  expect(judged({ lookups: [answered(NOW - HOUR), ...withFailure] })).toEqual([]);
});

it("leaves out lookups that were slow while its own timing could not be trusted", () => {
  const { lookups } = durations(over, 2, 2, 2, over, 2);
  const suspect = lookups.map((one, index) =>
    index === 0 ? { ...one, isSuspect: true as const } : one,
  );
  expect(judged({ lookups })).toHaveLength(1);
  expect(judged({ lookups: suspect })).toEqual([]);
});

describe("while the agent was late itself", () => {
  const suspect = { isSuspect: true } as const;
  const missed = (at: number): Lookup => ({
    at,
    outcome: "failed",
    cause: "timeout",
    durationMs: 10_783,
    ...suspect,
  });

  it("takes an answer that came late for one that came", () => {
    const late = series(5, 20 * SECOND, (at) => ({
      ...answered(at, timeout.default + 1),
      ...suspect,
    }));
    expect(judged({ lookups: late })).toEqual([]);
  });

  it("counts no answer that it missed, and takes none for an end of failures", () => {
    expect(judged({ lookups: series(5, 20 * SECOND, missed) })).toEqual([]);
    expect(judged({ lookups: [...failing(3, 5 * SECOND), missed(NOW)] })).toEqual([symptom]);
    expect(judged({ lookups: [...failing(2, 10 * SECOND), missed(NOW)] })).toEqual([]);
  });
});

it("reads what it declares", () => {
  expect(factsRead(dnsFailing)).toEqual(factsDeclared(dnsFailing));
});

describe("a name that was never answered", () => {
  const since = (waitedMs: number, startupMs = 600 * SECOND, answeredAt?: number) =>
    judged(
      {
        failing: { since: NOW - waitedMs, lastAt: NOW, count: 12, cause: "nxdomain" },
        ...(answeredAt === undefined ? {} : { answeredAt }),
      },
      { expectation: anUpstreamExpectation({ startupMs }) },
    )?.map(({ severity }) => severity);

  it("is an information in its first minute: its pods may come yet", () => {
    expect(since(60 * SECOND)).toEqual(["info"]);
  });

  it("is critical after that, where no time to start is granted, and where it was answered", () => {
    expect([since(61 * SECOND), since(15 * SECOND, 0), since(15 * SECOND, 1, NOW - HOUR)]).toEqual(
      Array(3).fill(["critical"]),
    );
  });
});
