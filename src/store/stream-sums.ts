import type { ChannelzObservation } from "../model/observation.ts";

interface Streams {
  readonly started: number;
  readonly failed: number;
}

/** Streams of others over all their connections, dead ones included, since the sums began. */
export interface StreamSums extends Streams {
  /** Of each connection, the counters that are in the sums already. */
  readonly bySocket: Readonly<
    Record<number, { readonly started: number; readonly failed: number }>
  >;
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
  let { started, failed } = before;
  const read: Record<number, Streams> = {};
  for (const { id, streamsStarted, streamsFailed } of observation.sockets) {
    const now = { started: streamsStarted, failed: streamsFailed };
    const last = before.bySocket[id] ?? (before.isComplete ? NOTHING : now);
    started += Math.max(0, now.started - last.started);
    failed += Math.max(0, now.failed - last.failed);
    read[id] = now;
  }
  return { started, failed, isComplete, bySocket: isComplete ? read : merged(before, read) };
}

const NOTHING: StreamSums = { started: 0, failed: 0, bySocket: {}, isComplete: false };

function merged({ bySocket }: StreamSums, read: StreamSums["bySocket"]): StreamSums["bySocket"] {
  const unread = Object.entries(bySocket).filter(([id]) => !(id in read));
  const room = Math.max(0, MOST_SOCKETS - Object.keys(read).length);
  return { ...Object.fromEntries(unread.slice(Math.max(0, unread.length - room))), ...read };
}
