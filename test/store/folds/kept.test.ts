import { expect, it } from "vitest";
import type { Observation } from "../../../src/model/observation.ts";
import { folded } from "../../support/folded.ts";
import {
  aClosingAt,
  after,
  aGoawayAt,
  anOpeningAt,
  aReadAt,
  aReplyAt,
} from "../../support/observations.ts";
import { NOW } from "../../support/snapshot.ts";

const open = {
  state: "open",
  since: NOW,
  localPort: 40_000,
  connectMs: 1,
  replies: [],
  silentInRow: 0,
  lost: 0,
  ends: [],
};
const end = { at: after(5), lifeMs: 5_000, idleMs: 5_000, by: "rst" };
const reply = (seconds: number, outcome: "replied" | "silent") => ({
  at: after(seconds),
  outcome,
  ms: 2,
});

it.each<[string, readonly Observation[], object]>([
  ["opens", [anOpeningAt(0)], open],
  [
    "replies",
    [anOpeningAt(0), aReplyAt(1)],
    { ...open, replies: [reply(1, "replied")], lastReplyAt: after(1) },
  ],
  [
    "falls silent",
    [anOpeningAt(0), aReplyAt(1, "silent"), aReplyAt(4, "silent")],
    {
      ...open,
      replies: [reply(1, "silent"), reply(4, "silent")],
      silentInRow: 2,
    },
  ],
  [
    "speaks again",
    [anOpeningAt(0), aReplyAt(1, "silent"), aReplyAt(4)],
    {
      ...open,
      replies: [reply(1, "silent"), reply(4, "replied")],
      lastReplyAt: after(4),
    },
  ],
  [
    "is told to go",
    [anOpeningAt(0), aGoawayAt(5, "max_age")],
    {
      ...open,
      goaway: { at: after(5), code: 0, debugText: "max_age" },
    },
  ],
  [
    "is lost",
    [anOpeningAt(0), aClosingAt(5, { by: "rst" })],
    {
      state: "closed",
      since: after(5),
      connectMs: 1,
      replies: [],
      silentInRow: 0,
      closedBy: "rst",
      lost: 1,
      ends: [end],
    },
  ],
  [
    "is closed by us",
    [anOpeningAt(0), aClosingAt(5, { by: "us" })],
    {
      state: "closed",
      since: after(5),
      connectMs: 1,
      replies: [],
      silentInRow: 0,
      closedBy: "us",
      lost: 0,
      ends: [],
    },
  ],
  [
    "never opens",
    [aClosingAt(5, { by: "error" }), aClosingAt(9, { by: "error" })],
    {
      state: "closed",
      since: after(5),
      replies: [],
      silentInRow: 0,
      closedBy: "error",
      lost: 0,
      ends: [],
    },
  ],
  [
    "opens again",
    [anOpeningAt(0), aReplyAt(1, "silent"), aClosingAt(5), anOpeningAt(9)],
    {
      ...open,
      since: after(9),
      replies: [reply(1, "silent")],
      closedBy: "fin",
      lost: 1,
      ends: [{ ...end, by: "fin" }],
    },
  ],
])("tells the kept connection whole when it %s", (_when, observations, want) => {
  expect(folded("kept", observations)).toEqual(want);
});

it.each<[string, Observation]>([
  ["a reply", aReplyAt(1)],
  ["a GOAWAY", aGoawayAt(1)],
])("knows nothing by %s over a connection that it never saw", (_what, observation) => {
  expect(folded("kept", [observation])).toBeUndefined();
});

it("keeps 60 replies, and none of another epoch", () => {
  const replies = Array.from({ length: 70 }, (_, i) => aReplyAt(i, "silent"));
  expect(folded("kept", [anOpeningAt(0), ...replies])?.replies).toHaveLength(60);
  const row = { listeners: [{ address: "::", port: 50051, queued: 0, inode: 7 }] };
  const restarted = folded("kept", [anOpeningAt(0), ...replies, aReadAt(80), aReadAt(90, row)]);
  expect(restarted).toEqual(open);
});

it("knows whose server it is until a new epoch, over connections", () => {
  const told = {
    source: "connection",
    kind: "implementation",
    target: "app",
    at: after(1),
    implementation: "tonic",
  } as const;
  const course = [anOpeningAt(0), told, aClosingAt(2), anOpeningAt(3)];
  expect(folded("kept", course)).toMatchObject({ implementation: "tonic" });
  expect(folded("kept", [told])).toBeUndefined();
});

const lives = (count: number, ending = aClosingAt(0)) =>
  Array.from({ length: count }, (_, i) => [
    anOpeningAt(10 * i),
    aReplyAt(10 * i + 1),
    { ...ending, at: after(10 * i + 3) },
  ]).flat();

it("remembers how the other side ended its newest sixty", () => {
  const ends = folded("kept", lives(62))?.ends;
  expect(ends).toHaveLength(60);
  expect(ends?.at(-1)).toEqual({ at: after(613), lifeMs: 3_000, idleMs: 2_000, by: "fin" });
});

it("remembers the GOAWAY that ended one, at the instant when it came", () => {
  const course = [
    anOpeningAt(0),
    aReplyAt(1),
    aGoawayAt(4, "max_age"),
    aReplyAt(5),
    aClosingAt(6, { by: "goaway" }),
  ];
  expect(folded("kept", course)?.ends).toEqual([
    {
      at: after(4),
      lifeMs: 4_000,
      idleMs: 0,
      by: "goaway",
      goaway: { code: 0, debugText: "max_age" },
    },
  ]);
});

it.each<[string, readonly Observation[], number]>([
  ["none from before one that we closed", lives(1, aClosingAt(0, { by: "us" })), 0],
  ["none from before one that was flooded", lives(1, aClosingAt(0, { by: "flood" })), 0],
  ["not the fault of a socket", lives(1, aClosingAt(0, { by: "error" })), 3],
  ["not one that never opened", [aClosingAt(1)], 3],
])("remembers %s", (_what, then, count) => {
  const later = then.map((one) => ({ ...one, at: one.at + 100_000 }));
  expect(folded("kept", [...lives(3), ...later])?.ends).toHaveLength(count);
});

it("remembers no end of another epoch", () => {
  const row = { listeners: [{ address: "::", port: 50051, queued: 0, inode: 7 }] };
  const course = [...lives(3), aReadAt(50), aReadAt(60, row)];
  expect(folded("kept", course)?.ends).toEqual([]);
});
