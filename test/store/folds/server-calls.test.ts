import { expect, it } from "vitest";
import type { Implementation } from "../../../src/model/channelz.ts";
import type { ServerCalls } from "../../../src/model/facts/server-calls.ts";
import type { ChannelzObservation } from "../../../src/model/observation.ts";
import { folded } from "../../support/folded.ts";
import { aCycleAt, after, aServer, aSocket, NO_OWN_CALLS } from "../../support/observations.ts";
import { NOW } from "../../support/snapshot.ts";

type Row = Partial<Omit<ChannelzObservation, "source" | "kind">>;

const calls = (callsStarted: number, callsSucceeded: number, callsFailed: number) =>
  aServer({ callsStarted, callsSucceeded, callsFailed });
const own = (started: number, succeeded: number, failed: number, unimplemented: number) => ({
  started,
  succeeded,
  failed,
  unimplemented,
});
const streams = (id: number, streamsStarted: number, streamsFailed: number, openStreams = 0) =>
  aSocket(id, { streamsStarted, streamsFailed, openStreams });

/** The newest poll after cycles that lie 10 s apart. */
function newest(implementation: Implementation, ...rows: readonly Row[]) {
  const cycles = rows.map((row, i) => aCycleAt(10 * i, { implementation, ...row }));
  return folded("serverCalls", cycles)?.polls.at(-1);
}

it("begins at zero, whatever the server did before", () => {
  const fact = folded("serverCalls", [aCycleAt(0, { server: calls(9000, 8000, 900) })]);
  const zero = { started: 0, succeeded: 0, failed: 0, cancelled: 0 };
  const streams = { started: 0, reset: 0 };
  const polls = [
    {
      at: NOW,
      ...zero,
      inFlight: 100,
      isEstimated: false,
      streams,
      answered: 0,
      ended: 0,
      spoken: 0,
    },
  ];
  expect(fact).toEqual({
    implementation: "go",
    timesDeadlines: true,
    cancelledAs: "failed-calls",
    polls,
  });
});

it("does not know the calls of a server that it could not tell", () => {
  const { server: _server, ...cycle } = aCycleAt(0);
  expect(folded("serverCalls", [cycle])).toBeUndefined();
});

it("begins anew when another implementation is recognised", () => {
  const unknown = aCycleAt(0, { implementation: "unknown", server: calls(10, 10, 0) });
  const fact = folded("serverCalls", [unknown, aCycleAt(10, { server: calls(20, 20, 0) })]);
  expect(fact?.polls.map((poll) => poll.started)).toEqual([0]);
});

it.each<[Implementation, string, Row, object]>([
  // 10 calls of others (8 ok, 1 failed, 1 running), and 4 of ours: 2 ok, 1 unimplemented, 1 running.
  [
    "go",
    "not counted",
    { server: calls(13, 10, 1) },
    { started: 10, succeeded: 8, failed: 1, inFlight: 1 },
  ],
  [
    "c-core",
    "counted as failed",
    { server: calls(14, 10, 2) },
    { started: 10, succeeded: 8, failed: 1, inFlight: 1 },
  ],
  [
    "grpc-js",
    "counted as failed",
    { server: calls(14, 10, 2) },
    { started: 10, succeeded: 8, failed: 1, inFlight: 1 },
  ],
  [
    "java",
    "not counted",
    { server: calls(13, 10, 1), sockets: [streams(1, 10, 1, 1)] },
    { started: 10, succeeded: 8, failed: 1, inFlight: 1 },
  ],
])(
  "leaves out our own calls on %s, where UNIMPLEMENTED is %s",
  (implementation, _how, row, want) => {
    const ours = { ...row, ownCalls: own(4, 2, 0, 1) };
    expect(newest(implementation, { server: calls(0, 0, 0) }, ours)).toMatchObject(want);
  },
);

it("stays monotonic although the ledger of our own runs ahead", () => {
  const server = calls(10, 10, 0);
  const ahead = { server, ownCalls: own(2, 2, 0, 0) };
  expect(newest("go", { server: calls(0, 0, 0) }, { server }, ahead)).toMatchObject({
    started: 10,
    succeeded: 10,
  });
});

it.each<[Implementation, string, readonly Row[], number]>([
  ["go", "every failed call", [{ server: calls(0, 0, 0) }, { server: calls(10, 6, 4) }], 4],
  ["grpc-js", "every failed call", [{ server: calls(0, 0, 0) }, { server: calls(10, 6, 4) }], 4],
  ["unknown", "every failed call", [{ server: calls(0, 0, 0) }, { server: calls(10, 6, 4) }], 4],
  [
    "c-core",
    "the failed streams, not the failed calls",
    [
      { server: calls(0, 0, 0), sockets: [streams(1, 0, 0)] },
      { server: calls(10, 6, 4), sockets: [streams(1, 10, 3)] },
    ],
    3,
  ],
  [
    "java",
    "streams that failed beyond the failed calls and the calls that were none",
    [
      { server: calls(0, 0, 0), sockets: [streams(1, 0, 0)] },
      // 10 calls (2 failed), 3 streams of unknown methods, 9 failed streams in all.
      { server: calls(10, 4, 2), sockets: [streams(1, 13, 9)] },
    ],
    4,
  ],
  [
    "java",
    "nothing below zero",
    [
      { server: calls(0, 0, 0), sockets: [streams(1, 0, 0)] },
      { server: calls(10, 4, 6), sockets: [streams(1, 10, 2)] },
    ],
    0,
  ],
  [
    "java",
    "no more for streams that this cycle did not read",
    [
      { server: calls(0, 0, 0), sockets: [streams(1, 0, 0), streams(2, 0, 0)] },
      { server: calls(20, 18, 0), sockets: [streams(1, 10, 2)], socketCount: 2 },
    ],
    2,
  ],
])("takes for cancelled on %s %s", (implementation, _what, rows, cancelled) => {
  expect(newest(implementation, ...rows)?.cancelled).toBe(cancelled);
});

const FULL: Row = { server: calls(0, 0, 0), sockets: [streams(1, 50, 50)] };

it.each<[string, readonly Row[], number]>([
  ["a connection's past does not count", [FULL, { sockets: [streams(1, 50, 50)] }], 0],
  [
    "a new connection counts in full",
    [FULL, { sockets: [streams(1, 50, 50), streams(2, 5, 5)] }],
    5,
  ],
  [
    "what a dead connection did stays",
    [FULL, { sockets: [streams(1, 53, 53)] }, { sockets: [] }],
    3,
  ],
  [
    "a connection that was perhaps there before counts from now on",
    [
      { ...FULL, socketCount: 9 },
      { sockets: [streams(2, 70, 70)], socketCount: 9 },
      { sockets: [streams(2, 72, 72)], socketCount: 9 },
    ],
    2,
  ],
])("sums streams over connections that come and go: %s", (_what, rows, cancelled) => {
  expect(newest("c-core", ...rows)?.cancelled).toBe(cancelled);
});

it.each<[string, Row, object]>([
  [
    "all were read",
    { sockets: [streams(1, 9, 0, 4), streams(2, 9, 0, 2)] },
    { inFlight: 6, isEstimated: false },
  ],
  [
    "some were read",
    { sockets: [streams(1, 9, 0, 4), streams(2, 9, 0, 2)], socketCount: 10 },
    { inFlight: 30, isEstimated: true },
  ],
  ["none was read", { sockets: [], socketCount: 10 }, { inFlight: 0, isEstimated: true }],
])("counts what is in flight on Java by its sockets when %s", (_when, row, want) => {
  const leaking = { ...row, server: calls(100, 10, 10) };
  expect(newest("java", leaking)).toMatchObject(want);
});

/** One connection with calls in flight, `begun` of them at some time, the last of them then. */
const connection = (id: number, begun: number, open: number, lastRemoteStreamAt?: number) =>
  aSocket(id, {
    streamsStarted: begun,
    openStreams: open,
    ...(lastRemoteStreamAt === undefined ? {} : { lastRemoteStreamAt: after(lastRemoteStreamAt) }),
  });
const busy: Row = { server: calls(100, 0, 0) };

it.each<[string, readonly Row[], object]>([
  [
    "where a connection began none between two polls",
    [
      { sockets: [connection(1, 5, 5), connection(2, 5, 5)] },
      { sockets: [connection(1, 5, 4), connection(2, 6, 6)] },
    ],
    { streams: 4, connections: 1 },
  ],
  [
    "at once, where the server tells when the last one began",
    [{ sockets: [connection(1, 5, 5, -8), connection(2, 7, 7, -7.9)] }],
    { streams: 5, connections: 1 },
  ],
  [
    "since it began none, and not before a stream that a clock in arrears tells of",
    [{ sockets: [connection(1, 5, 5, 0)] }, { sockets: [connection(1, 6, 6, -60)] }],
    { streams: 6, connections: 1 },
  ],
  [
    "not where its clock is ahead",
    [{ sockets: [connection(1, 5, 5, 60)] }],
    { streams: 0, connections: 0 },
  ],
  [
    "not on an idle connection",
    [{ sockets: [connection(1, 5, 0, -60)] }],
    { streams: 0, connections: 0 },
  ],
  [
    "for all connections, by those that were read",
    [{ sockets: [connection(1, 5, 3, -60), connection(2, 5, 5, 0)], socketCount: 10 }],
    { streams: 15, connections: 5 },
  ],
  [
    "by those of the last minute, where they are read in turn",
    [
      { sockets: [connection(1, 5, 5, -60)], socketCount: 3 },
      ...Array.from({ length: 5 }, () => ({ sockets: [], socketCount: 3 })),
      { sockets: [connection(2, 5, 0, -60)], socketCount: 3 },
      { sockets: [connection(3, 5, 0, -60)], socketCount: 3 },
    ],
    { streams: 0, connections: 0 },
  ],
  [
    "of no more than are in flight",
    [
      { server: calls(2, 0, 0), sockets: [], socketCount: 10 },
      { server: calls(2, 0, 0), sockets: [connection(1, 9, 9, -60)], socketCount: 10 },
    ],
    { streams: 2, connections: 2 },
  ],
])("knows the streams that stand %s", (_where, rows, standing) => {
  expect(newest("go", ...rows.map((row) => ({ ...busy, ...row })))?.standing).toEqual(standing);
});

it("knows that none stand where none are in flight, and nothing where no connection was read", () => {
  const none = { streams: 0, connections: 0 };
  expect(newest("go", { server: calls(4, 4, 0) })?.standing).toEqual(none);
  expect(newest("go", busy)?.standing).toBeUndefined();
});

it.each<[Implementation, object | undefined]>([
  ["go", { started: 10, reset: 3 }],
  ["grpc-js", { started: 10, reset: 3 }],
  ["c-core", { started: 10, reset: 3 }],
  ["java", undefined],
  ["unknown", undefined],
])("takes failed streams for resets on %s: %j", (implementation, want) => {
  const first = { server: calls(0, 0, 0), sockets: [streams(1, 5, 2)] };
  const second = { server: calls(10, 6, 4), sockets: [streams(1, 15, 5)] };
  expect(newest(implementation, first, second)?.streams).toEqual(want);
});

/** A connection on which so many streams failed and succeeded, after so many messages of the server. */
const sent = (id: number, messagesSent: number, streamsFailed: number, streamsSucceeded = 0) =>
  aSocket(id, { messagesSent, streamsFailed, streamsSucceeded });

it.each<[string, readonly Row[], number]>([
  [
    "calls that waited in vain",
    [{ sockets: [sent(1, 0, 0)] }, { sockets: [sent(1, 50, 20, 50)] }],
    0,
  ],
  ["watches", [{ sockets: [sent(1, 0, 0)] }, { sockets: [sent(1, 25, 20)] }], 20],
  ["watches, some idle", [{ sockets: [sent(1, 0, 0)] }, { sockets: [sent(1, 15, 20)] }], 15],
  [
    "watches on one connection, calls on the other",
    [
      { sockets: [sent(1, 5, 5), sent(2, 5, 0, 5)] },
      { sockets: [sent(1, 9, 9), sent(2, 30, 20, 30)] },
    ],
    4,
  ],
  ["watches of a new connection", [{ sockets: [] }, { sockets: [sent(7, 3, 3)] }], 3],
  [
    "what a connection did before it was first read",
    [{ sockets: [], socketCount: 2 }, { sockets: [sent(7, 3, 3)] }],
    0,
  ],
])("counts of failed streams those that were answered: %s", (_what, rows, answered) => {
  const cycles = rows.map((row) => ({ server: calls(0, 0, 0), ...row }));
  expect(newest("go", ...cycles)?.answered).toBe(answered);
});

it.each<[string, Implementation, readonly Row[], number]>([
  [
    "a watch that was told at its begin, and left 20 s later",
    "go",
    [
      { sockets: [aSocket(1, { streamsStarted: 1, openStreams: 1, messagesSent: 1 })] },
      { sockets: [aSocket(1, { streamsStarted: 1, openStreams: 1, messagesSent: 1 })] },
      { sockets: [aSocket(1, { streamsStarted: 1, streamsFailed: 1, messagesSent: 1 })] },
    ],
    1,
  ],
  [
    "a call whose answer was on its way, and one that waited in vain after it",
    "go",
    [
      { sockets: [aSocket(1, { streamsStarted: 1, openStreams: 1, messagesSent: 1 })] },
      {
        sockets: [
          aSocket(1, { streamsStarted: 2, streamsSucceeded: 1, openStreams: 1, messagesSent: 1 }),
        ],
      },
      {
        sockets: [
          aSocket(1, { streamsStarted: 2, streamsSucceeded: 1, streamsFailed: 1, messagesSent: 1 }),
        ],
      },
    ],
    0,
  ],
  [
    "an upload: more than a request",
    "go",
    [{ sockets: [aSocket(1, { streamsStarted: 2, streamsFailed: 2, messagesReceived: 9 })] }],
    2,
  ],
  [
    "requests that waited in vain",
    "go",
    [{ sockets: [aSocket(1, { streamsStarted: 9, streamsFailed: 9, messagesReceived: 9 })] }],
    0,
  ],
  [
    "watches that left with their connection, where that fails a call",
    "go",
    [
      { sockets: [aSocket(1, { streamsStarted: 3, openStreams: 2, messagesSent: 9 })] },
      { sockets: [] },
    ],
    2,
  ],
  [
    "not where it fails none",
    "c-core",
    [
      { sockets: [aSocket(1, { streamsStarted: 3, openStreams: 2, messagesSent: 9 })] },
      { sockets: [] },
    ],
    0,
  ],
  [
    "no waiting calls that went with their connection",
    "go",
    [
      { sockets: [aSocket(1, { streamsStarted: 3, openStreams: 2, messagesReceived: 3 })] },
      { sockets: [] },
    ],
    0,
  ],
])("knows streams by what was said on them: %s", (_what, implementation, rows, answered) => {
  const cycles = rows.map((row) => ({ server: calls(0, 0, 0), ...row }));
  expect(newest(implementation, { sockets: [] }, ...cycles)?.answered).toBe(answered);
});

/** A connection on which so many streams failed and succeeded, and so many are open. */
const held = (id: number, streamsFailed: number, streamsSucceeded: number, openStreams = 0) =>
  aSocket(id, { streamsStarted: 50, streamsFailed, streamsSucceeded, openStreams });

it.each<[string, readonly Row[], number]>([
  ["well or not", [{ sockets: [held(1, 1, 2)] }, { sockets: [held(1, 4, 9)] }], 10],
  ["on a new connection", [{ sockets: [] }, { sockets: [held(1, 4, 9)] }], 13],
  [
    "and not those that went with their connection",
    [{ sockets: [held(1, 0, 0, 30)] }, { sockets: [held(1, 1, 2, 27)] }, { sockets: [] }],
    3,
  ],
])("counts the streams that ended %s", (_what, rows, ended) => {
  const cycles = rows.map((row) => ({ server: calls(0, 0, 0), ...row }));
  expect(newest("go", ...cycles)?.ended).toBe(ended);
});

/** A connection on which the server sent so many messages, and so many streams succeeded. */
const spoke = (id: number, messagesSent: number, streamsSucceeded: number) =>
  aSocket(id, { streamsStarted: 50, messagesSent, streamsSucceeded, openStreams: 5 });

it.each<[string, readonly Row[], number]>([
  ["an answer each", [{ sockets: [spoke(1, 0, 0)] }, { sockets: [spoke(1, 40, 40)] }], 0],
  ["beyond answers", [{ sockets: [spoke(1, 5, 5)] }, { sockets: [spoke(1, 70, 20)] }], 50],
  [
    "beyond answers, though streams of another connection ended without one",
    [
      { sockets: [spoke(1, 0, 0), spoke(2, 0, 0)] },
      { sockets: [spoke(1, 0, 20), spoke(2, 30, 0)] },
    ],
    30,
  ],
  [
    "until the connection ended",
    [{ sockets: [spoke(1, 0, 0)] }, { sockets: [spoke(1, 7, 0)] }, { sockets: [] }],
    7,
  ],
])("counts what the server said: %s", (_what, rows, spoken) => {
  const cycles = rows.map((row) => ({ server: calls(0, 0, 0), ...row }));
  expect(newest("go", ...cycles)?.spoken).toBe(spoken);
});

it("counts the streams that talked until they went with their connection, where every one was read", () => {
  const talking = aSocket(1, { streamsStarted: 3, openStreams: 3, messagesSent: 2 });
  const cycles = [{ sockets: [] }, { sockets: [talking] }, { sockets: [] }].map((row) => ({
    server: calls(0, 0, 0),
    ...row,
  }));
  expect(newest("go", ...cycles)?.left).toBe(2);
  expect(newest("go", ...cycles.slice(0, 2))?.left).toBeUndefined();
});

it("keeps 10 min", () => {
  const polls = folded("serverCalls", [aCycleAt(0), aCycleAt(300), aCycleAt(600.001)])?.polls;
  expect(polls?.map((poll) => poll.at)).toEqual([after(300), after(600.001)]);
});

it("sees in the first poll the calls that questions of ours hide which the server will not know", () => {
  const row: Row = {
    server: calls(12, 0, 0),
    ownCalls: { started: 3, succeeded: 0, failed: 0, unimplemented: 0 },
    sockets: [connection(1, 10, 10, 0)],
    socketCount: 1,
  };
  expect(newest("go", row)?.inFlight).toBe(10);
  expect(newest("go", row, row)?.inFlight).toBe(9);
});

it("is not confused by a ledger of zeros", () => {
  expect(newest("go", { ownCalls: NO_OWN_CALLS })).toMatchObject({ started: 0, inFlight: 0 });
});

it.each<[Implementation, Omit<ServerCalls, "implementation" | "polls">]>([
  ["java", { failsByErrorOnly: true, cancelledAs: "streams-beyond-calls" }],
  ["go", { timesDeadlines: true, cancelledAs: "failed-calls" }],
  ["grpc-js", { timesDeadlines: true, hidesDeadlines: true, cancelledAs: "failed-calls" }],
  ["c-core", { cancelledAs: "failed-streams" }],
  ["unknown", { cancelledAs: "failed-calls" }],
])("knows what the counters of %s mean", (implementation, meaning) => {
  const fact = folded("serverCalls", [aCycleAt(0, { implementation })]);
  expect(fact).toEqual({ implementation, polls: fact?.polls, ...meaning });
});
