import { expect, it } from "vitest";
import { connectBlackholed } from "../../src/detectors/connect-blackholed.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { OutboundRead } from "../../src/model/facts/outbound.ts";
import type { ReachRun } from "../../src/model/facts/reach.ts";
import type { RemoteRows } from "../../src/model/socket-rows.ts";
import type { DialAttempt } from "../../src/model/xray.ts";
import {
  aDial,
  aListeners,
  anExpectation,
  anOutbound,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  aReach,
  aResolution,
  aSeenAddress,
  type Change,
  factsDeclared,
  factsRead,
  type JudgeOptions,
  judge,
  NOW,
  SECOND,
  series,
  someRemoteRows,
  someSurroundings,
} from "../support/snapshot.ts";

const { reads, retransmits, attempts, timeout } = connectBlackholed.limits;
const upstream = "dns:///inventory.shop.svc:50051";
/** The app waits for 10.0.0.9, in vain so far. */
const waiting = (change: Change<RemoteRows> = {}) =>
  someRemoteRows({
    established: 0,
    localPorts: [],
    synSent: 1,
    synRetransmits: retransmits.default,
    ...change,
  });
const read = (secondsAgo: number, ...remotes: RemoteRows[]): OutboundRead => ({
  at: NOW - secondsAgo * SECOND,
  remotes,
});
const outOf = (...outbound: OutboundRead[]) => ({ outbound: anOutbound({ reads: outbound }) });
/** Each test changes one thing of it. */
const sick: Change<Facts> = {
  expectation: anUpstreamExpectation(),
  ...outOf(read(5, waiting({ synRetransmits: 0 })), read(0, waiting())),
};
const judged = (change: Change<Facts>, options: JudgeOptions<typeof connectBlackholed> = {}) =>
  judge(connectBlackholed, { ...sick, ...change }, options);

const critical = {
  subject: { remote: upstream },
  severity: "critical",
  witnesses: ["kernel"],
  isDeterministic: true,
  summary: `${upstream} has left connects without an answer for 5 s: nothing of it answers`,
  evidence: {
    cause: "host-silent",
    rows: 1,
    retransmits: 2,
    silentSeconds: 5,
    otherConnections: 0,
  },
};

const connected: ReachRun = {
  outcome: "connected",
  since: NOW,
  lastAt: NOW - 5 * SECOND,
  count: 1,
};
const runOf = (run: ReachRun) => ({
  reach: aReach({ attempts: [], runs: { "10.0.0.9:50051": run } }),
});

it.each<[string, Change<Facts>]>([
  ["it is connected", outOf(read(5, someRemoteRows()), read(0, someRemoteRows()))],
  ["nothing was read", outOf()],
  ["one read saw it wait", outOf(read(5), read(0, waiting()))],
  [
    "it was not waiting in between",
    outOf(read(9, waiting()), read(5, someRemoteRows()), read(0, waiting())),
  ],
  ["a read in between did not see it", outOf(read(9, waiting()), read(5), read(0, waiting()))],
  ["the reads lie closer than 5 s", outOf(read(4.999, waiting()), read(0, waiting()))],
  [
    "one SYN was repeated: one packet was lost",
    outOf(read(5, waiting()), read(0, waiting({ synRetransmits: 1 }))),
  ],
  ["the app waits no more", outOf(read(10, waiting()), read(5, waiting()), read(0))],
  [
    "another port of it was waited for before",
    outOf(read(5, waiting({ port: 50052 })), read(0, waiting())),
  ],
  [
    "another address was waited for before",
    outOf(read(5, waiting({ address: "10.0.0.8" })), read(0, waiting())),
  ],
  [
    "other connects succeed meanwhile: its accept queue is full",
    outOf(
      read(5, waiting({ localPorts: [41_000] })),
      read(0, waiting({ localPorts: [41_000, 41_001] })),
    ),
  ],
  ["our own connect succeeded meanwhile", runOf(connected)],
  [
    "DNS has dropped the address",
    { resolution: aResolution({ answers: ["10.0.0.1"], seen: { "10.0.0.9": aSeenAddress() } }) },
  ],
])("is silent about rows of the app when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it.each<[string, Change<Facts>]>([
  ["a mesh stands before the upstream", { surroundings: someSurroundings({ mesh: true }) }],
  ["neither rows nor own connects are known", { outbound: undefined }],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Change<Facts>, object]>([
  ["the app waits for an upstream", {}, critical],
  ["the surroundings are plain", { surroundings: someSurroundings() }, critical],
  [
    "it stays connected elsewhere on that port",
    outOf(
      read(5, waiting({ established: 2, localPorts: [41_000] })),
      read(0, waiting({ established: 2, localPorts: [41_000] })),
    ),
    { ...critical, evidence: { ...critical.evidence, otherConnections: 2 } },
  ],
  [
    "our own connect succeeded, but before",
    runOf({ ...connected, lastAt: NOW - 5 * SECOND - 1 }),
    critical,
  ],
  ["our own connect failed too", runOf({ ...connected, outcome: "timeout" }), critical],
  ["DNS still has the address", { resolution: aResolution() }, critical],
  [
    "DNS never had the address",
    { resolution: aResolution({ answers: ["10.0.0.1"], seen: {} }) },
    critical,
  ],
  [
    "other ports of that address are connected",
    outOf(
      read(5, waiting()),
      read(
        0,
        someRemoteRows({ port: 9092 }),
        waiting(),
        someRemoteRows({ port: 5432 }),
        someRemoteRows({ port: 6379, established: 0 }),
        someRemoteRows({ address: "10.0.0.8", port: 80 }),
      ),
    ),
    {
      ...critical,
      summary: `${upstream} has left connects without an answer for 5 s: other ports of it answer, so this one is filtered`,
      evidence: { ...critical.evidence, cause: "port-filtered", answeringPorts: [5432, 9092] },
    },
  ],
])("reports rows of the app when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it("needs as many reads as its limit says", () => {
  expect(judged({}, { limits: { reads: reads.default + 1 } })).toEqual([]);
});

it("tells a channel's remote from one that only the kernel knows, the longest wait first", () => {
  const db = waiting({ address: "10.0.0.7", port: 5432 });
  const outbound = anOutbound({
    reads: [read(10, db), read(5, db, waiting()), read(0, waiting(), db)],
    knownAs: { "10.0.0.9:50051": "dns:///stock:50051" },
  });
  const evidence = { ...critical.evidence };
  expect(judged({ expectation: anExpectation(), outbound })).toEqual([
    {
      ...critical,
      subject: { remote: "10.0.0.7:5432" },
      severity: "info",
      summary: "10.0.0.7:5432 has left connects without an answer for 10 s: nothing of it answers",
      evidence: { ...evidence, silentSeconds: 10 },
    },
    {
      ...critical,
      subject: { remote: "dns:///stock:50051" },
      severity: "warning",
      summary:
        "dns:///stock:50051 has left connects without an answer for 5 s: nothing of it answers",
    },
  ]);
});

it("leaves a mesh's upstreams unjudged on the app's target", () => {
  const surroundings = someSurroundings({ mesh: true });
  expect(judged({ expectation: anExpectation(), surroundings })).toEqual([]);
});

it("reports one remote once, with the greatest counts of its addresses", () => {
  const other = waiting({ address: "10.0.0.8", synSent: 3, synRetransmits: 4 });
  const connected = waiting({ established: 2, localPorts: [41_000] });
  const outbound = outOf(read(9, connected), read(6, connected, other), read(0, other, connected));
  expect(judged(outbound)).toEqual([
    {
      ...critical,
      summary: `${upstream} has left connects without an answer for 9 s: nothing of it answers`,
      evidence: {
        ...critical.evidence,
        rows: 3,
        retransmits: 4,
        silentSeconds: 9,
        otherConnections: 2,
      },
    },
  ]);
});

const v4 = aDial({ address: "10.0.0.9:50051", outcome: "timeout", connectMs: undefined });
const other4 = aDial({ address: "10.0.0.8:50051", outcome: "timeout", connectMs: undefined });
const v6 = aDial({
  address: "[fd00::9]:50051",
  family: "ipv6",
  outcome: "timeout",
  connectMs: undefined,
});
const works = (dial: DialAttempt) => aDial({ ...dial, outcome: "connected" });
const noRoute = (dial: DialAttempt, errno: string) =>
  aDial({ ...dial, outcome: "no-route", errno });
/** Our own connects to what was dialled last: so many, the last one now. */
const dialling = (
  dials: readonly DialAttempt[],
  { count = 3, everyMs = 10 * SECOND, confirmed = true } = {},
): Change<Facts> => ({
  outbound: undefined,
  xray: anXray({ latest: anXrayReport({ outcome: "failed", phase: "tcp", dials }) }),
  reach: aReach({
    attempts: series(count, everyMs, (at) => dials.map((dial) => ({ ...dial, at }))).flat(),
    runs: Object.fromEntries(
      dials.map(({ address, outcome, errno }) => [
        address,
        {
          outcome,
          since: NOW - 20 * SECOND,
          lastAt: NOW,
          count: confirmed ? 3 : 1,
          ...(errno === undefined ? {} : { errno }),
        },
      ]),
    ),
  }),
});
const unanswered = {
  ...critical,
  witnesses: ["preflight"],
  summary: `${upstream} has left connects without an answer for 20 s: nothing of it answers`,
  evidence: { cause: "host-silent", attempts: 3, silentSeconds: 20 },
};
it("takes 6 s of silence for enough where no time to start is granted, as in one look", () => {
  const oneLook = { expectation: anUpstreamExpectation({ startupMs: 0 }) };
  expect(judged(dialling([v4], { everyMs: 3 * SECOND }))).toEqual([]);
  expect(judged({ ...dialling([v4], { everyMs: 2_999.5 }), ...oneLook })).toEqual([]);
  expect(judged({ ...dialling([v4], { everyMs: 3 * SECOND }), ...oneLook })).toMatchObject([
    { severity: "critical", evidence: { attempts: 3, silentSeconds: 6 } },
  ]);
});

/** The others connect: how many of how many, and which. */
const someUnanswered = (
  share: string,
  silentAddresses: string[],
  acceptingAddresses: string[],
) => ({
  ...unanswered,
  severity: "warning",
  summary: `${share} addresses of ${unanswered.summary}`,
  evidence: { ...unanswered.evidence, silentAddresses, acceptingAddresses },
});

const unroutable = {
  ...unanswered,
  summary: `${upstream} has left connects without an answer for 20 s: there is no way to it`,
  evidence: { ...unanswered.evidence, cause: "no-route", errno: "EHOSTUNREACH" },
};

it.each<[string, Change<Facts>]>([
  ["they connect", dialling([works(v4)])],
  ["they are refused", dialling([aDial({ ...v4, outcome: "refused" })])],
  [
    "one less than the limit got no answer",
    dialling([v4], { count: attempts.default - 1, everyMs: 20 * SECOND }),
  ],
  ["they lie within less than 20 s", dialling([v4], { everyMs: 9_999.5 })],
  [
    "they take exactly as long as they may",
    dialling([aDial({ ...works(v4), connectMs: timeout.default })]),
  ],
  [
    "one of them connected",
    {
      ...dialling([v4]),
      reach: aReach({ attempts: [works(v4), ...series(2, 20 * SECOND, (at) => ({ ...v4, at }))] }),
    },
  ],
  [
    "the address is dialled no more",
    { ...dialling([v4]), xray: anXray({ latest: anXrayReport({ dials: [works(other4)] }) }) },
  ],
  ["one family fails and the other connects", dialling([v6, works(v4)])],
  ["the port listens in this very pod", { ...dialling([v4]), listeners: aListeners() }],
  [
    "there is no way to it, seen once",
    dialling([noRoute(v4, "EHOSTUNREACH")], { confirmed: false }),
  ],
  [
    "this pod has no IPv6, and IPv4 is refused",
    dialling([noRoute(v6, "ENETUNREACH"), aDial({ ...v4, outcome: "refused" })]),
  ],
])("is silent about own connects when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it("does not judge own connects without answer while its own timing cannot be trusted", () => {
  expect(judged(dialling([v4]), { timingTrusted: false })).toBeUndefined();
});

it.each<[string, Change<Facts>, object]>([
  ["nobody answers", dialling([v4]), unanswered],
  [
    "nobody answers, and nothing listens in this pod",
    { ...dialling([v4]), listeners: aListeners({ rows: [] }) },
    unanswered,
  ],
  [
    "answers come later than the limit",
    dialling([aDial({ ...works(v4), connectMs: timeout.default + 1 })]),
    unanswered,
  ],
  [
    "one of a family connects, but another of it is silent",
    dialling([works(v4), other4]),
    someUnanswered("1 of 2", [other4.address], [v4.address]),
  ],
  ["both families are silent", dialling([v6, v4]), unanswered],
  [
    "one family connects, and one of it is silent",
    dialling([v6, other4, works(v4)]),
    someUnanswered("1 of 3", [other4.address], [v4.address]),
  ],
  [
    "both families connect, and one address is silent",
    dialling([works(v6), works(v4), other4]),
    someUnanswered("1 of 3", [other4.address], [v6.address, v4.address]),
  ],
  ["there is no way to it", dialling([noRoute(v4, "EHOSTUNREACH")]), unroutable],
  [
    "the only family has no way at all",
    dialling([noRoute(v4, "ENETUNREACH")]),
    { ...unroutable, evidence: { ...unroutable.evidence, errno: "ENETUNREACH" } },
  ],
  [
    "this pod has no IPv6, and IPv4 is silent",
    dialling([noRoute(v6, "ENETUNREACH"), v4]),
    unanswered,
  ],
  [
    "the app waits as well",
    { ...dialling([v4]), outbound: sick.outbound },
    {
      ...unanswered,
      witnesses: ["preflight", "kernel"],
      evidence: {
        ...unanswered.evidence,
        rows: 1,
        retransmits: 2,
        otherConnections: 0,
      },
    },
  ],
  [
    "another port of it is connected",
    { ...dialling([v4]), ...outOf(read(0, someRemoteRows({ port: 80 }))) },
    {
      ...unanswered,
      summary: `${upstream} has left connects without an answer for 20 s: other ports of it answer, so this one is filtered`,
      evidence: {
        ...unanswered.evidence,
        cause: "port-filtered",
        answeringPorts: [80],
        otherConnections: 0,
      },
    },
  ],
  [
    "the app's own port over loopback, in a mesh",
    {
      ...dialling([v4]),
      expectation: anExpectation(),
      surroundings: someSurroundings({ mesh: true }),
    },
    {
      ...unanswered,
      subject: { remote: "localhost:50051" },
      summary:
        "localhost:50051 has left connects without an answer for 20 s: nothing of it answers",
    },
  ],
])("reports own connects when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it.each([
  ["rows", {}, critical],
  ["routes", dialling([noRoute(v4, "EHOSTUNREACH")]), unroutable],
])("reports %s even while its own timing cannot be trusted", (_what, change, expected) => {
  expect(judged(change, { timingTrusted: false })).toEqual([expected]);
});

it("reads what it declares", () => {
  expect(factsRead(connectBlackholed)).toEqual(factsDeclared(connectBlackholed));
});
