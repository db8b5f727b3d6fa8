import type { SocketFacts } from "../../model/channelz.ts";
import type { SocketReading, Sockets, SocketsPoll } from "../../model/facts/sockets.ts";
import type { ChannelzObservation } from "../../model/observation.ts";
import type { Instant } from "../../model/time.ts";
import { defineFold } from "../fold.ts";
import { pushed } from "../ring.ts";
import { readsAllSockets } from "../stream-sums.ts";
import { channelzAgeMs } from "./channelz-age.ts";

const MOST_POLLS = 12;
const MOST_READ = 40;
const FRESH_MS = 60_000;

interface State {
  readonly value: Sockets;
  /** The highest socket id of the cycles of the last minute that read every socket. */
  readonly marks: readonly { readonly at: Instant; readonly highestId: number }[];
}

/**
 * The server's connections. Ids of channelz only grow, so a connection whose id is above all of a full
 * reading began after it; a cycle that read a part of them proves nothing about the others.
 */
export const socketsFold = defineFold({
  fact: "sockets",
  of: ["app", "upstream"],
  source: "channelz",
  reads: ["channelz/cycle"],
  bound: "12 polls of 40 sockets, the marks of one minute",
  maxAgeMs: channelzAgeMs,
  inNewEpoch: "goes",
  tell: (state: State) => state.value,

  fold(previous: State | undefined, cycle) {
    const { at, sockets, socketCount, lastInTurn } = cycle;
    if (sockets.length === 0 && socketCount > 0) return undefined;
    const recent = (previous?.marks ?? []).filter((mark) => at - mark.at <= FRESH_MS);
    const highestId = Math.max(0, ...sockets.map((socket) => socket.id));
    const poll: SocketsPoll = {
      at,
      connections: socketCount,
      read: fullestFirst(cycle),
      ...(lastInTurn === undefined ? {} : { lastInTurn }),
    };
    return {
      marks: readsAllSockets(cycle) ? pushed(recent, { at, highestId }, MOST_POLLS) : recent,
      value: {
        polls: pushed(previous?.value.polls ?? [], poll, MOST_POLLS),
        freshOthersSucceed: sockets.some(
          ({ id, streamsSucceeded }) =>
            streamsSucceeded > 0 && recent.some((mark) => id > mark.highestId),
        ),
      },
    };
  },
});

function fullestFirst({ sockets }: ChannelzObservation): readonly SocketReading[] {
  return sockets
    .toSorted((a, b) => b.openStreams - a.openStreams)
    .slice(0, MOST_READ)
    .map(reading);
}

function reading(socket: SocketFacts): SocketReading {
  const { id, peer, openStreams, streamsStarted } = socket;
  const { canSendBytes, writerBlocked, lastMessageSentAt } = socket;
  return {
    id,
    peer,
    open: openStreams,
    started: streamsStarted,
    ...(canSendBytes === undefined ? {} : { canSendBytes }),
    ...(writerBlocked === undefined ? {} : { writerBlocked }),
    ...(lastMessageSentAt === undefined ? {} : { lastMessageSentAt }),
  };
}
