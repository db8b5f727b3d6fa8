import type { SocketFacts } from "../model/channelz.ts";
import type { ChannelzObservation } from "../model/observation.ts";
import type { Instant } from "../model/time.ts";

interface Streams {
  readonly started: number;
  readonly failed: number;
}

/** One connection as it was last read. */
export interface CountedSocket extends Streams {
  readonly succeeded: number;
  readonly messages: number;
  readonly open: number;
  readonly readAt: Instant;
  /** When its newest stream began, at the latest. */
  readonly begunAt: Instant;
}

/** Streams of others over all their connections, dead ones included, since the sums began. */
export interface StreamSums extends Streams {
  /** Of those that failed, the ones that the server had sent messages on, at most. */
  readonly answered: number;
  readonly ended: number;
  /** Of each connection, the counters that are in the sums already. */
  readonly bySocket: Readonly<Record<number, CountedSocket>>;
  /** The newest cycle read every socket, so one that it lacks is new. */
  readonly isComplete: boolean;
}

/** Sockets that cycles in turn have read; beyond it the oldest connections are forgotten. */
const MOST_SOCKETS = 1_000;

/** True if the cycle read every connection of others. */
export function readsAllSockets({
  sockets,
  socketCount,
  socketsTruncated,
}: ChannelzObservation): boolean {
  return !socketsTruncated && sockets.length >= socketCount;
}

/**
 * Adds what one cycle read. Counters die with their connection, so the sums are made of differences.
 * A connection that is seen for the first time counts from zero only if it must be new; else what it
 * did before we looked is no news.
 */
export function addStreams(
  sums: StreamSums | undefined,
  observation: ChannelzObservation,
): StreamSums {
  const isComplete = readsAllSockets(observation);
  const before = sums ?? NOTHING;
  let { started, failed, answered, ended } = before;
  const read: Record<number, CountedSocket> = {};
  for (const socket of observation.sockets) {
    const known = before.bySocket[socket.id];
    const now = counted(socket, known, observation.at);
    const last = known ?? (before.isComplete ? UNUSED : now);
    started += Math.max(0, now.started - last.started);
    failed += Math.max(0, now.failed - last.failed);
    answered += answeredSince(last, now);
    ended += Math.max(0, endsOf(now) - endsOf(last));
    read[socket.id] = now;
  }
  const bySocket = isComplete ? read : merged(before, read);
  return { started, failed, answered, ended, isComplete, bySocket };
}

function endsOf({ failed, succeeded }: Pick<CountedSocket, "failed" | "succeeded">): number {
  return failed + succeeded;
}

type Sent = Pick<CountedSocket, "failed" | "succeeded" | "messages">;

/** A stream that succeeds has its answer; what was sent beyond went to streams that stay or failed. */
function answeredSince(last: Sent, now: Sent): number {
  const beyond = now.messages - last.messages - (now.succeeded - last.succeeded);
  return Math.max(0, Math.min(now.failed - last.failed, beyond));
}

function counted(
  { streamsStarted: started, streamsFailed: failed, openStreams: open, ...seen }: SocketFacts,
  last: CountedSocket | undefined,
  at: Instant,
): CountedSocket {
  const { streamsSucceeded: succeeded, messagesSent: messages } = seen;
  const now = { started, failed, succeeded, messages, open, readAt: at };
  if (last?.started === started) return { ...now, begunAt: last.begunAt };
  // The app's clock may not be ours: what has begun since the last reading began after it.
  const told = Math.min(at, seen.lastRemoteStreamAt ?? at);
  return { ...now, begunAt: Math.max(told, last?.readAt ?? told) };
}

const UNUSED = { started: 0, failed: 0, succeeded: 0, messages: 0 };
const NOTHING: StreamSums = {
  started: 0,
  failed: 0,
  answered: 0,
  ended: 0,
  bySocket: {},
  isComplete: false,
};

function merged({ bySocket }: StreamSums, read: StreamSums["bySocket"]): StreamSums["bySocket"] {
  const unread = Object.entries(bySocket).filter(([id]) => !(id in read));
  const room = Math.max(0, MOST_SOCKETS - Object.keys(read).length);
  return { ...Object.fromEntries(unread.slice(Math.max(0, unread.length - room))), ...read };
}
