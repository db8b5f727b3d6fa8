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
};
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

it("keeps 30 replies, and none of another epoch", () => {
  const replies = Array.from({ length: 40 }, (_, i) => aReplyAt(i, "silent"));
  expect(folded("kept", [anOpeningAt(0), ...replies])?.replies).toHaveLength(30);
  const row = { listeners: [{ address: "::", port: 50051, queued: 0, inode: 7 }] };
  const restarted = folded("kept", [anOpeningAt(0), ...replies, aReadAt(50), aReadAt(60, row)]);
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
