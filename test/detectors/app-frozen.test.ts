import { describe, expect, it } from "vitest";
import { appFrozen } from "../../src/detectors/app-frozen.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Kept, Reply } from "../../src/model/facts/kept.ts";
import type { AcceptRead } from "../../src/model/facts/listeners.ts";
import type { Xray } from "../../src/model/facts/xray.ts";
import {
  aBaseline,
  aDial,
  aKept,
  aListeners,
  anAcceptRead,
  anExpectation,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  aProbeHistory,
  aTargetSnapshot,
  type Change,
  factsDeclared,
  factsRead,
  type JudgeOptions,
  judge,
  knownFacts,
  NOW,
  SECOND,
  series,
  someProbes,
  someSurroundings,
} from "../support/snapshot.ts";

const { tries, timeout, slow, slowAbsolute } = appFrozen.limits;
const silent = (at: number): Reply => ({ at, outcome: "silent", ms: timeout.default });
const replied = (at: number, ms: number): Reply => ({ at, outcome: "replied", ms });
/** One reply, then so many calls without. */
const silentKept = (count: number, change: Change<Kept> = {}) => ({
  kept: aKept({
    replies: [replied(NOW - 60 * SECOND, 1), ...series(count, 10 * SECOND, silent)],
    lastReplyAt: NOW - 60 * SECOND,
    ...change,
  }),
});
const unread = (change: Change<AcceptRead> = {}) =>
  anAcceptRead({ keptReceiveQueueBytes: 39, ...change });
const reading = (...reads: AcceptRead[]) => ({ listeners: aListeners({ reads }) });
/** Each test changes one thing of it: three calls without reply, their bytes unread. */
const sick: Change<Facts> = {
  expectation: anExpectation(),
  ...silentKept(tries.default),
  ...reading(unread({ at: NOW - 5 * SECOND }), unread()),
};
const judged = (change: Change<Facts>, options: JudgeOptions<typeof appFrozen> = {}) =>
  judge(appFrozen, { ...sick, ...change }, options);

const critical = {
  subject: {},
  severity: "critical",
  witnesses: ["connection", "kernel"],
  summary: "The app left 3 calls in a row without an answer, and what was sent to it lies unread",
  evidence: {
    flavour: "stopped",
    tries: 3,
    timeoutMs: 2000,
    queuedBytes: 39,
    lastReplyAt: "2026-01-15T11:59:00.000Z",
  },
};
const { queuedBytes: _bytes, ...unproven } = critical.evidence;
const warning = {
  ...critical,
  severity: "warning",
  witnesses: ["connection"],
  summary: "The app left 3 calls in a row without an answer",
  evidence: unproven,
};
const mute = (change: Change<Xray> = {}) => ({
  xray: anXray({
    latest: anXrayReport({ outcome: "failed", phase: "http2", silence: "mute" }),
    same: { since: NOW - 30 * SECOND, lastAt: NOW, count: 3 },
    ...change,
  }),
});
const neverHttp2 = { everHttp2: false } as const;
/** Two reads in which so many wait to be accepted. */
const queue = (before: Change<AcceptRead>, last: Change<AcceptRead> = before) =>
  reading(
    anAcceptRead({
      at: NOW - 5 * SECOND,
      established: 0,
      keptReceiveQueueBytes: undefined,
      ...before,
    }),
    anAcceptRead({ established: 0, keptReceiveQueueBytes: undefined, ...last }),
  );
/** From the agent's first second on: nothing was ever kept or answered, and connections wait. */
const frozenFirst = {
  kept: undefined,
  ...mute(neverHttp2),
  ...queue({ queued: 3 }, { queued: 4 }),
};
const neverAsked = { kept: aKept({ replies: [], lastReplyAt: undefined, state: "closed" }) };

it.each<[string, Change<Facts>]>([
  ["all is answered", { kept: aKept() }],
  ["one call less than the limit is silent", silentKept(tries.default - 1)],
  [
    "the newest was answered",
    { kept: aKept({ replies: [...series(4, SECOND, silent), replied(NOW, 1)] }) },
  ],
  [
    "answers take exactly the timeout, over a slow connect",
    {
      kept: aKept({
        connectMs: 50,
        replies: series(3, SECOND, (at) => replied(at, timeout.default)),
      }),
    },
  ],
  ["the app reads what we send", reading(unread(), unread({ keptReceiveQueueBytes: 0 }))],
  ["what lies unread becomes less", reading(unread({ keptReceiveQueueBytes: 40 }), unread())],
  [
    "HTTP/2 was never seen, and a connection was accepted meanwhile",
    { ...frozenFirst, kept: aKept(), ...queue({ queued: 3 }, { queued: 2 }) },
  ],
  [
    "HTTP/2 was never seen, and nothing waited before",
    { ...frozenFirst, kept: aKept(), ...queue({ queued: 0 }, { queued: 2 }) },
  ],
  [
    "HTTP/2 was never seen, and only accepting is stuck",
    {
      ...frozenFirst,
      kept: aKept(),
      ...queue({ queued: 3, established: 4, unaccepted: 3, acceptedReceiveQueueBytes: 0 }),
    },
  ],
  [
    "HTTP/2 was never seen, and what was accepted is read",
    {
      ...frozenFirst,
      kept: aKept(),
      ...queue(
        { queued: 3, established: 4, unaccepted: 3, acceptedReceiveQueueBytes: 40 },
        { queued: 3, established: 4, unaccepted: 3, acceptedReceiveQueueBytes: 39 },
      ),
    },
  ],
  [
    "HTTP/2 was never seen, and this kernel does not tell",
    { ...frozenFirst, kept: aKept(), ...queue({ queued: 3, unaccepted: undefined }) },
  ],
  ["it was not known before", reading(unread({ keptReceiveQueueBytes: undefined }), unread())],
  [
    "connections that wait become fewer",
    reading(
      unread({ keptReceiveQueueBytes: 0, unaccepted: 2 }),
      unread({ keptReceiveQueueBytes: 0, unaccepted: 1 }),
    ),
  ],
  [
    "a fresh connection was answered since: only ours is dead",
    { xray: anXray({ lastPassedAt: NOW - 15 * SECOND }), listeners: undefined },
  ],
  [
    "whether fresh ones are answered was not asked since",
    {
      xray: anXray({
        lastPassedAt: NOW - 25 * SECOND,
        same: { since: NOW - 25 * SECOND, lastAt: NOW - 25 * SECOND, count: 1 },
      }),
      listeners: undefined,
    },
  ],
  ["fresh connections are mute, but calls are answered", { kept: aKept(), ...mute() }],
  [
    "the last reply came just as they fell mute",
    { kept: aKept({ replies: [], lastReplyAt: NOW - 30 * SECOND }), ...mute() },
  ],
  ["HTTP/2 was never seen: it is no such server", { ...neverAsked, ...mute({ everHttp2: false }) }],
  [
    "two fresh connections were mute",
    { ...neverAsked, ...mute({ same: { since: NOW - 30 * SECOND, lastAt: NOW, count: 2 } }) },
  ],
  [
    "fresh connections close",
    { ...neverAsked, ...mute({ latest: anXrayReport({ silence: "closed" }) }) },
  ],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

describe("an app that reads what is sent to it, and answers nobody", () => {
  const read = reading(unread({ keptReceiveQueueBytes: 0 }), unread({ keptReceiveQueueBytes: 0 }));
  /** Thirteen calls, the first of which began two minutes and 2 s ago. */
  const unhandled: Change<Facts> = {
    ...read,
    ...silentKept(13),
    xray: anXray({
      latest: anXrayReport({ outcome: "failed", phase: "rpc" }),
      same: { since: NOW - 120 * SECOND, lastAt: NOW - SECOND, count: 5 },
      lastPassedAt: NOW - 150 * SECOND,
    }),
  };
  const late = (rpc: number) => ({
    xray: anXray({
      latest: anXrayReport({ phaseMs: { rpc } }),
      same: { since: NOW - 120 * SECOND, lastAt: NOW - SECOND, count: 5 },
      lastPassedAt: NOW - SECOND,
    }),
  });
  const passedAt = (lastOkAt: number) => ({
    probes: someProbes({ probes: { get: aProbeHistory({ lastOkAt }) } }),
  });

  it.each<[string, Change<Facts>]>([
    ["it may be at one long task", silentKept(12)],
    [
      "few calls were made",
      { kept: aKept({ replies: [silent(NOW - 119 * SECOND), ...series(4, SECOND, silent)] }) },
    ],
    ["a fresh connection was answered", late(timeout.default)],
    [
      "fresh connections were not tried since",
      {
        xray: anXray({
          latest: anXrayReport({ outcome: "failed" }),
          same: { since: 0, lastAt: 0, count: 1 },
        }),
      },
    ],
    ["nobody X-rays it", { xray: undefined }],
    ["a probe of it passed meanwhile", passedAt(NOW - 121 * SECOND)],
  ])("is no finding when %s", (_when, change) => {
    expect(judged({ ...unhandled, ...change })).toEqual([]);
  });

  it("is not judged where health may be slow by nature: it was never answered in time", () => {
    const never = silentKept(13, { lastReplyAt: undefined });
    expect(judged({ ...unhandled, ...never, ...late(timeout.default + 1) })).toBeUndefined();
  });

  it("is told where a call is made each 2.5 s, of which sixty are kept", () => {
    const often = aKept({ replies: series(60, 2.5 * SECOND, silent), silentInRow: 186 });
    const told = judged({ ...unhandled, kept: often, probes: undefined });
    expect(told).toMatchObject([{ evidence: { flavour: "no-handler", tries: 186 } }]);
  });

  it.each<[string, Change<Facts>]>([
    ["for two minutes", {}],
    ["and fresh connections are answered as late", late(timeout.default + 1)],
    ["and the last probe passed before", passedAt(NOW - 122 * SECOND)],
  ])("is told as a warning %s", (_when, change) => {
    expect(judged({ ...unhandled, ...change })).toEqual([
      {
        ...warning,
        witnesses: ["connection", "kernel"],
        summary:
          "The app left 13 calls in a row without an answer, though it reads what is sent to it",
        remedy: expect.stringContaining("holds the handlers"),
        evidence: { ...unproven, flavour: "no-handler", tries: 13 },
      },
    ]);
  });
});

it("does not judge while its own timing cannot be trusted", () => {
  expect(judged({}, { timingTrusted: false })).toBeUndefined();
});

it.each<[string, Change<Facts>]>([
  ["no connection is kept", { kept: undefined }],
  ["no connection was ever kept, and fresh ones are well", { kept: undefined, xray: anXray() }],
  [
    "a mesh stands before the upstream",
    { expectation: anUpstreamExpectation(), surroundings: someSurroundings({ mesh: true }) },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Change<Facts>, object]>([
  ["calls stay without reply and their bytes unread", {}, critical],
  ["bytes pile up", reading(unread({ keptReceiveQueueBytes: 38 }), unread()), critical],
  [
    "new connections stay un-accepted",
    reading(
      unread({ keptReceiveQueueBytes: 0, unaccepted: 1 }),
      unread({ keptReceiveQueueBytes: 0, unaccepted: 1 }),
    ),
    { ...critical, evidence: { ...unproven, unaccepted: 1 } },
  ],
  [
    "only they can be told",
    reading(
      unread({ keptReceiveQueueBytes: undefined, unaccepted: 1 }),
      unread({ keptReceiveQueueBytes: undefined, unaccepted: 1 }),
    ),
    { ...critical, evidence: { ...unproven, unaccepted: 1 } },
  ],
  [
    "answers come, but later than the timeout",
    {
      kept: aKept({
        replies: series(3, 10 * SECOND, (at) => replied(at, timeout.default + 1)),
        lastReplyAt: NOW - 60 * SECOND,
      }),
    },
    critical,
  ],
  [
    "more calls are silent than are kept",
    silentKept(3, { silentInRow: 40 }),
    {
      ...critical,
      summary: critical.summary.replace("3 calls", "40 calls"),
      evidence: { ...critical.evidence, tries: 40 },
    },
  ],
  [
    "the kernel was read before they fell silent",
    reading(unread({ at: NOW - 22_001 }), unread({ at: NOW - 22_000 })),
    warning,
  ],
  [
    "the reads of the kernel begin with their silence",
    reading(unread({ at: NOW - 22_000 }), unread({ at: NOW - 21_999 })),
    critical,
  ],
  [
    "our own new connections wait to be accepted",
    reading(
      unread({ keptReceiveQueueBytes: undefined, queued: 2 }),
      unread({ keptReceiveQueueBytes: undefined, queued: 2 }),
    ),
    { ...critical, evidence: { ...unproven, unaccepted: 2 } },
  ],
  [
    "it has never accepted a connection, and no time to start is granted",
    { ...frozenFirst, expectation: anExpectation({ startupMs: 0 }) },
    {
      ...critical,
      witnesses: ["preflight", "kernel"],
      summary:
        "The app left 3 new connections in a row without an answer, and what was sent to it lies unread",
      evidence: { flavour: "stopped", tries: 3, timeoutMs: 2000, unaccepted: 4 },
    },
  ],
  [
    "it has never accepted ours, and reads nothing of what it has accepted",
    {
      ...frozenFirst,
      ...queue({ queued: 3, established: 4, unaccepted: 3, acceptedReceiveQueueBytes: 40 }),
    },
    {
      ...critical,
      witnesses: ["preflight", "kernel"],
      summary:
        "The app left 3 new connections in a row without an answer, and what was sent to it lies unread",
      evidence: { flavour: "stopped", tries: 3, timeoutMs: 2000, unaccepted: 3 },
    },
  ],
  ["no kernel tells", { listeners: undefined }, warning],
  ["the kernel was read once", reading(unread()), warning],
  [
    "this kernel does not tell",
    reading(unread(), unread({ keptReceiveQueueBytes: undefined, unaccepted: undefined })),
    warning,
  ],
  [
    "an upstream does not answer",
    {
      expectation: anUpstreamExpectation(),
      listeners: undefined,
      surroundings: someSurroundings(),
    },
    warning,
  ],
  [
    "no call can be asked, and fresh connections are mute",
    { ...neverAsked, ...mute(), listeners: undefined },
    {
      ...warning,
      witnesses: ["preflight"],
      summary: "The app left 3 new connections in a row without an answer",
      evidence: { flavour: "stopped", tries: 3, timeoutMs: 2000 },
    },
  ],
  [
    "the last reply came before they fell mute",
    {
      kept: aKept({ replies: [], lastReplyAt: NOW - 30 * SECOND - 1 }),
      ...mute(),
      listeners: undefined,
    },
    {
      ...warning,
      witnesses: ["preflight"],
      summary: "The app left 3 new connections in a row without an answer",
      evidence: { ...unproven, lastReplyAt: "2026-01-15T11:59:29.999Z" },
    },
  ],
  ["calls and fresh connections are silent alike", mute(), critical],
  [
    "a fresh connection was answered before, and none since",
    { xray: anXray({ lastPassedAt: NOW - 25 * SECOND }) },
    critical,
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

/** Replies of these durations, 10 s apart, the last one now. */
const slowly = (...ms: number[]): Change<Facts> => ({
  kept: aKept({
    replies: series(ms.length, 10 * SECOND, (at, index) => replied(at, ms[index] ?? 0)),
  }),
  listeners: undefined,
});
const over = slow.default + 1;
const overAbsolute = slowAbsolute.default + 1;
const usualIs = (mean: number) => ({ usual: { reply: aBaseline({ mean }) } });
const connectIn = (connectMs: number | undefined) => ({
  xray: anXray({ latest: anXrayReport({ dials: [aDial({ connectMs })] }) }),
});
const six = (ms: number) => slowly(ms, ms, ms, ms, ms, ms);
const blocked = {
  subject: {},
  severity: "warning",
  witnesses: ["connection"],
  summary: "The app takes 1001 ms to answer a small call, though its port connects in 0.2 ms",
  evidence: { flavour: "blocked-loop", tries: 6, medianMs: 1001, connectMs: 0.2 },
};

it.each<[string, Change<Facts>]>([
  ["five replies are slow", slowly(...Array<number>(5).fill(overAbsolute))],
  [
    "one of six lies further back than a minute",
    {
      kept: aKept({
        replies: [
          replied(NOW - 60_001, overAbsolute),
          ...series(5, SECOND, (at) => replied(at, overAbsolute)),
        ],
      }),
    },
  ],
  [
    "it was asked, and has not answered once, too seldom to tell",
    { kept: aKept({ replies: [silent(NOW)], silentInRow: 1, lastReplyAt: undefined }) },
  ],
])("does not judge replies when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Change<Facts>, JudgeOptions<typeof appFrozen>]>([
  ["the median is exactly the absolute limit", six(slowAbsolute.default), {}],
  [
    "half of six are: the median is not",
    slowly(1, 1, 1, overAbsolute, overAbsolute, overAbsolute),
    {},
  ],
  [
    "it answers again: calls that nobody answered took no time at all",
    {
      kept: aKept({
        replies: [
          ...series(6, 10 * SECOND, (at) => silent(at)),
          ...series(5, SECOND, (at) => replied(at, 1)),
        ],
      }),
    },
    {},
  ],
  ["the median is unusual, and exactly the limit", six(slow.default), usualIs(1)],
  ["it is ten times the usual", six(over), usualIs(over / 10)],
  ["nothing is known to be usual", six(over), {}],
  ["connects are slow too", { ...six(overAbsolute), ...connectIn(5) }, {}],
  [
    "no connect was timed",
    { kept: aKept({ ...six(overAbsolute).kept, connectMs: undefined }) },
    {},
  ],
  ["the connection is closed", { kept: aKept({ ...six(overAbsolute).kept, state: "closed" }) }, {}],
])("is silent about replies when %s", (_when, change, options) => {
  expect(judged(change, options)).toEqual([]);
});

it.each<[string, Change<Facts>, JudgeOptions<typeof appFrozen>, object]>([
  ["their median is above the absolute limit", six(overAbsolute), {}, blocked],
  [
    "the minute holds seven, the first exactly a minute old",
    slowly(1, 1, 1, overAbsolute, overAbsolute, overAbsolute, overAbsolute),
    {},
    { ...blocked, evidence: { ...blocked.evidence, tries: 7 } },
  ],
  [
    "a fresh connect was timed",
    { ...six(overAbsolute), ...connectIn(4.8564939) },
    {},
    {
      ...blocked,
      summary: "The app takes 1001 ms to answer a small call, though its port connects in 4.9 ms",
      evidence: { ...blocked.evidence, connectMs: 4.8564939 },
    },
  ],
  [
    "the first of two fresh connects was slow",
    {
      ...six(overAbsolute),
      xray: anXray({
        latest: anXrayReport({ dials: [aDial({ connectMs: 50 }), aDial({ connectMs: 4 })] }),
      }),
    },
    {},
    {
      ...blocked,
      summary: "The app takes 1001 ms to answer a small call, though its port connects in 4 ms",
      evidence: { ...blocked.evidence, connectMs: 4 },
    },
  ],
  [
    "the fresh connect was not timed, the kept one was",
    { ...six(overAbsolute), ...connectIn(undefined) },
    {},
    blocked,
  ],
  [
    "their median is slow and more than ten times the usual",
    six(over),
    usualIs(over / 10 - 0.01),
    {
      ...blocked,
      summary: "The app takes 501 ms to answer a small call, though its port connects in 0.2 ms",
      evidence: { ...blocked.evidence, medianMs: 501, baselineMs: over / 10 - 0.01 },
    },
  ],
  [
    "slow is usual, but they are above the absolute limit",
    six(overAbsolute),
    usualIs(900),
    { ...blocked, evidence: { ...blocked.evidence, baselineMs: 900 } },
  ],
])("warns of replies when %s", (_when, change, options, expected) => {
  expect(judged(change, options)).toEqual([expected]);
});

/** A server that binds its port, and then loads for a while before it serves. */
it.each([
  ["not at first", 60 * SECOND, undefined],
  ["as info after a minute", 60 * SECOND + 1, [{ severity: "info" }]],
  ["as info until its time to start is over", 600 * SECOND, [{ severity: "info" }]],
  ["as critical after that", 600 * SECOND + 1, [{ severity: "critical" }]],
])("judges what has never accepted a connection %s", (_how, waitedMs, expected) => {
  const same = { since: NOW - waitedMs, lastAt: NOW, count: 5 };
  const symptoms = judged({
    ...frozenFirst,
    ...mute({ ...neverHttp2, same }),
    expectation: anExpectation({ startupMs: 600 * SECOND }),
  });
  expect(symptoms?.map(({ severity }) => ({ severity }))).toEqual(expected);
});

it.each<[string, number, unknown]>([
  ["not at all in the first minute", 60 * SECOND, undefined],
  ["as info until its time to start is over", 600 * SECOND, [{ severity: "info" }]],
  ["as before after that", 600 * SECOND + 1, [{ severity: "critical" }]],
])("judges what has not answered one call in its life %s", (_how, waitedMs, expected) => {
  const first = { at: NOW - waitedMs + 2 * SECOND, outcome: "silent", ms: 2 * SECOND } as const;
  const symptoms = judged({
    kept: aKept({
      replies: [first, silent(NOW - SECOND), silent(NOW)],
      silentInRow: 3,
      lastReplyAt: undefined,
    }),
    expectation: anExpectation({ startupMs: 600 * SECOND }),
  });
  expect(symptoms?.map(({ severity }) => ({ severity }))).toEqual(expected);
});

it("learns the median of the newest minute, as heavy as it has calls", () => {
  const facts = (replies: readonly Reply[]) =>
    aTargetSnapshot({
      facts: knownFacts({ kept: aKept({ replies }), expectation: anExpectation() }),
    });
  expect(appFrozen.samples(facts([]))).toEqual({});
  const replies = [9, 3, 1, 2].map((ms, index) => replied(NOW + (index - 4) * 25 * SECOND, ms));
  expect(appFrozen.samples(facts(replies))).toEqual({ reply: { value: 2, weight: 0.5 } });
});

it("reads what it declares", () => {
  expect(factsRead(appFrozen)).toEqual(factsDeclared(appFrozen));
});
