import { expect, it } from "vitest";
import type { SocketFacts } from "../../../src/model/channelz.ts";
import { folded } from "../../support/folded.ts";
import { aCycleAt, after, aSocket } from "../../support/observations.ts";
import { NOW } from "../../support/snapshot.ts";

const socket = (id: number, streamsSucceeded = 0): SocketFacts => aSocket(id, { streamsSucceeded });
const cycle = (seconds: number, sockets: readonly SocketFacts[], socketCount = sockets.length) =>
  aCycleAt(seconds, { sockets, socketCount });

it("tells each connection that was read, the fullest first", () => {
  const busy = aSocket(4, {
    openStreams: 9,
    streamsStarted: 20,
    canSendBytes: 0,
    writerBlocked: true,
  });
  expect(folded("sockets", [cycle(0, [socket(3), busy], 7)])).toEqual({
    polls: [
      {
        at: NOW,
        connections: 7,
        read: [
          { id: 4, peer: "10.0.0.7", open: 9, started: 20, canSendBytes: 0, writerBlocked: true },
          { id: 3, peer: "10.0.0.7", open: 0, started: 0 },
        ],
      },
    ],
    freshOthersSucceed: false,
  });
});

it("remembers where the turn ended, though that connection is not among the fullest", () => {
  const sockets = Array.from({ length: 60 }, (_, index) => aSocket(index + 1));
  const polls = folded("sockets", [
    aCycleAt(0, { sockets, socketCount: 90, lastInTurn: 60 }),
  ])?.polls;
  expect(polls?.map(({ read, lastInTurn }) => [read.length, lastInTurn])).toEqual([[40, 60]]);
});

it("makes a poll of a server without connections, and none of a cycle that read nothing", () => {
  const polls = (...cycles: Parameters<typeof folded>[1]) =>
    folded("sockets", cycles)?.polls.map(({ at }) => at);
  expect(polls(cycle(0, []))).toEqual([NOW]);
  expect(polls(cycle(0, [socket(1)]), cycle(10, [], 5))).toEqual([NOW]);
});

it.each<[string, boolean, readonly ReturnType<typeof cycle>[]]>([
  ["nothing was read before", false, [cycle(0, [socket(9, 5)])]],
  ["its connection was there before", false, [cycle(0, [socket(9)]), cycle(10, [socket(9, 5)])]],
  ["none of its calls succeeded", false, [cycle(0, [socket(8)]), cycle(10, [socket(9)])]],
  [
    "not every connection was read before",
    false,
    [cycle(0, [socket(8)], 3), cycle(10, [socket(9, 5)])],
  ],
  [
    "it began more than a minute ago",
    false,
    [
      cycle(0, [socket(8)]),
      cycle(30, [socket(8), socket(9)]),
      cycle(61, [socket(8), socket(9, 5)]),
    ],
  ],
  [
    "it began after every connection was read",
    true,
    [cycle(0, [socket(8)]), cycle(10, [socket(9, 5)])],
  ],
  ["it began after there was none", true, [cycle(0, []), cycle(10, [socket(9, 5)])]],
  ["it began a minute ago", true, [cycle(0, [socket(8)]), cycle(60, [socket(9, 5)])]],
])("finds calls of others that succeed on fresh connections: %s, %s", (_when, fresh, cycles) => {
  expect(folded("sockets", cycles)?.freshOthersSucceed).toBe(fresh);
});

it("keeps 12 polls of 40 connections", () => {
  const many = Array.from({ length: 60 }, (_, id) => socket(id));
  const cycles = Array.from({ length: 20 }, (_, i) => cycle(i, many));
  const polls = folded("sockets", cycles)?.polls;
  expect([polls?.length, polls?.at(-1)?.read.length]).toEqual([12, 40]);
  expect(polls?.at(-1)?.at).toBe(after(19));
});
