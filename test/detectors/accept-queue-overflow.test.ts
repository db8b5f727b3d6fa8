import { expect, it } from "vitest";
import { acceptQueueOverflow } from "../../src/detectors/accept-queue-overflow.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { AcceptRead } from "../../src/model/facts/listeners.ts";
import {
  aKept,
  aListeners,
  anAcceptRead,
  anExpectation,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  NOW,
  SECOND,
} from "../support/snapshot.ts";

const standing = acceptQueueOverflow.limits.standing.default;
/** A read of so many seconds ago, with a queue. */
const ago = (seconds: number, change: Change<AcceptRead> = {}) =>
  anAcceptRead({ at: NOW - seconds * SECOND, queued: 128, ...change });
const reading = (...reads: AcceptRead[]) => ({ listeners: aListeners({ reads }) });
const quiet = ago(20, { queued: 0 });
/** Each test changes one thing of it: drops rise while the queue stands. */
const sick: Change<Facts> = {
  expectation: anExpectation(),
  ...reading(quiet, ago(10, { drops: 5 }), ago(5, { drops: 7 }), ago(0, { drops: 8 })),
};
const judged = (change: Change<Facts>) => judge(acceptQueueOverflow, { ...sick, ...change });

const critical = {
  subject: { port: "50051" },
  severity: "critical",
  witnesses: ["kernel"],
  isDeterministic: true,
  summary: "128 connections to port 50051 wait to be accepted, and some have for 10 s",
  evidence: { queued: 128, unaccepted: 0, standingSeconds: 10, overflows: 0, drops: 3 },
};
const warning = {
  ...critical,
  severity: "warning",
  summary: "128 connections to port 50051 wait to be accepted, and some have for 16 s",
  evidence: { ...critical.evidence, standingSeconds: 16, drops: 0 },
};

it.each<[string, Change<Facts>]>([
  ["no queue stands", reading(ago(10, { queued: 0 }), ago(5, { queued: 0 }), quiet)],
  [
    "the queue is gone now",
    reading(ago(10), ago(5, { drops: 9 }), ago(0, { queued: 0, drops: 9 })),
  ],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it.each<[string, Change<Facts>]>([
  ["two reads saw it, a burst", reading(quiet, ago(10), ago(0, { unaccepted: 1, drops: 9 }))],
  [
    "three reads saw it within less than 10 s",
    reading(quiet, ago(9.999), ago(5), ago(0, { unaccepted: 1, drops: 9 })),
  ],
  [
    "nothing was dropped, and it stands for exactly the limit",
    reading(quiet, ago(standing / SECOND, { unaccepted: 2 }), ago(5), ago(0, { unaccepted: 1 })),
  ],
  [
    "those that wait became fewer",
    reading(quiet, ago(10, { unaccepted: 3 }), ago(5), ago(0, { unaccepted: 2 })),
  ],
  [
    "two reads that lie far apart met one each",
    reading(quiet, ago(120), ago(0, { unaccepted: 1 })),
  ],
  [
    "who waited before is unknown",
    reading(quiet, ago(10, { unaccepted: undefined }), ago(5), ago(0, { unaccepted: 3 })),
  ],
  [
    "drops of before do not count",
    reading(
      ago(15, { queued: 0 }),
      ago(10, { drops: 8, unaccepted: 2 }),
      ago(5),
      ago(0, { unaccepted: 1, drops: 8 }),
    ),
  ],
  [
    "the counters cannot be read now",
    reading(
      quiet,
      ago(10, { unaccepted: 2 }),
      ago(5),
      ago(0, { unaccepted: 1, overflows: undefined, drops: undefined }),
    ),
  ],
  [
    "the counters could not be read before",
    reading(
      quiet,
      ago(10, { overflows: undefined, drops: undefined, unaccepted: 2 }),
      ago(5),
      ago(0, { unaccepted: 1 }),
    ),
  ],
])("does no more than suspect it when %s", (_when, change) => {
  expect(judged(change)).toMatchObject([{ isSuspicion: true, holdMs: standing }]);
});

it("says of what it suspects how long it stands", () => {
  expect(judged(reading(quiet, ago(5), ago(0, { unaccepted: 2 })))).toEqual([
    {
      ...warning,
      isSuspicion: true,
      holdMs: standing,
      summary: "128 connections to port 50051 wait to be accepted, and some have for 5 s",
      evidence: { ...warning.evidence, unaccepted: 2, standingSeconds: 5 },
    },
  ]);
});

it.each<[string, Change<Facts>]>([
  ["nothing was read", reading()],
  ["the newest read is older than half a minute", reading(ago(50), ago(40), ago(30.001))],
  ["a single read saw it, a burst", reading(quiet, ago(0, { unaccepted: 3 }))],
  [
    "it was empty in between",
    reading(ago(10), ago(5, { queued: 0 }), ago(0, { unaccepted: 1, drops: 9 })),
  ],
  ["nobody but us waits", reading(quiet, ago(10), ago(5), ago(0))],
  ["this kernel does not tell", reading(ago(0, { unaccepted: undefined }))],
  ["the target has no port", { expectation: anExpectation({ port: undefined }) }],
  ["the rows are unknown", { listeners: undefined }],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Change<Facts>, object]>([
  ["drops rise while it stands", {}, critical],
  [
    "overflows rise",
    reading(quiet, ago(10, { overflows: 3 }), ago(5), ago(0, { overflows: 7 })),
    { ...critical, evidence: { ...critical.evidence, overflows: 4, drops: 0 } },
  ],
  [
    "those that wait do not become fewer",
    reading(quiet, ago(10, { unaccepted: 3 }), ago(5), ago(0, { unaccepted: 3 })),
    { ...critical, evidence: { ...critical.evidence, unaccepted: 3, drops: 0 } },
  ],
  [
    "they do not, and nobody counts drops",
    reading(
      quiet,
      ago(10, { unaccepted: 3, overflows: undefined }),
      ago(5),
      ago(0, { unaccepted: 4, drops: undefined }),
    ),
    {
      ...critical,
      evidence: { queued: 128, unaccepted: 4, standingSeconds: 10 },
    },
  ],
  ["it is the first thing that was read", reading(ago(10), ago(5), ago(0, { drops: 3 })), critical],
  [
    "it stands for longer than the limit, and nothing was dropped",
    reading(quiet, ago(16), ago(5), ago(0)),
    warning,
  ],
  ["the newest read is half a minute old", reading(quiet, ago(46), ago(40), ago(30)), warning],
  [
    "drops ended more than 10 s ago",
    reading(
      quiet,
      ago(30, { drops: 1 }),
      ago(20, { drops: 4 }),
      ago(10, { drops: 4 }),
      ago(5),
      ago(0, { drops: 4 }),
    ),
    {
      ...warning,
      summary: "128 connections to port 50051 wait to be accepted, and some have for 30 s",
      evidence: { ...warning.evidence, standingSeconds: 30, drops: 3 },
    },
  ],
  [
    "established connections are answered",
    { kept: aKept() },
    {
      ...critical,
      evidence: { ...critical.evidence, connectionAnswers: true },
      remedy: expect.stringContaining("out of file descriptors") as string,
    },
  ],
  [
    "nothing was asked on the kept connection",
    { kept: aKept({ lastReplyAt: undefined }) },
    critical,
  ],
  [
    "the last answer came before the queue",
    { kept: aKept({ lastReplyAt: NOW - 11 * SECOND }) },
    critical,
  ],
  [
    "the kept connection is silent too",
    { kept: aKept({ silentInRow: 1 }) },
    { ...critical, evidence: { ...critical.evidence, connectionAnswers: false } },
  ],
  [
    "the kept connection is closed",
    { kept: aKept({ state: "closed" }) },
    { ...critical, evidence: { ...critical.evidence, connectionAnswers: false } },
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it("asks for as many reads as its limit says, and for 10 s", () => {
  const reads = [ago(20), ago(10), ago(5, { drops: 1 }), ago(0, { drops: 1, unaccepted: 1 })];
  const severities = [3, 4, 5].map((limit) =>
    judge(
      acceptQueueOverflow,
      { ...sick, ...reading(...reads) },
      { limits: { reads: limit } },
    )?.map(({ severity, isSuspicion }) => (isSuspicion === true ? "suspected" : severity)),
  );
  expect(severities).toEqual([["critical"], ["critical"], ["suspected"]]);
});

it("reads what it declares", () => {
  expect(factsRead(acceptQueueOverflow)).toEqual(factsDeclared(acceptQueueOverflow));
});
