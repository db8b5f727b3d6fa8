import type { SocketFacts } from "../model/channelz.ts";
import type { ChannelzObservation } from "../model/observation.ts";
import type { Instant } from "../model/time.ts";

interface Streams {
  readonly started: number;
  readonly failed: number;
}

interface Talks {
  readonly server: number;
  readonly client: number;
}

/** One connection as it was last read. */
export interface CountedSocket extends Streams {
  readonly succeeded: number;
  readonly sent: number;
  readonly received: number;
  readonly open: number;
  /** Of those open, the ones that are streams by what was said on them, at most, by who said it. */
  readonly talks: Talks;
  readonly readAt: Instant;
  /** When its newest stream began, at the latest. */
  readonly begunAt: Instant;
}

/** Streams of others over all their connections, dead ones included, since the sums began. */
export interface StreamSums extends Streams {
  /**
   * Of those that failed, the ones that nobody waited for, at most: the server had sent messages on
   * them, or the client more than one.
   */
  readonly answered: number;
  /** Such streams that ended with their connection. */
  readonly answeredGone: number;
  readonly ended: number;
  /** Messages of the server beyond one for each stream that succeeded. */
  readonly spoken: number;
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
  let { started, failed, answered, ended, answeredGone, spoken } = before;
  const read: Record<number, CountedSocket> = {};
  for (const socket of observation.sockets) {
    const known = before.bySocket[socket.id];
    const now = counted(socket, known, observation.at);
    const last = known ?? (before.isComplete ? UNUSED : now);
    const heard = heardSince(last, now);
    started += Math.max(0, now.started - last.started);
    failed += Math.max(0, now.failed - last.failed);
    answered += heard.failed;
    ended += Math.max(0, endsOf(now) - endsOf(last));
    spoken += heard.spoken;
    read[socket.id] = { ...now, talks: heard.open };
  }
  if (isComplete) answeredGone += talksOfGone(before, read);
  const bySocket = isComplete ? read : merged(before, read);
  return { started, failed, answered, answeredGone, ended, spoken, isComplete, bySocket };
}

function endsOf({ failed, succeeded }: Pick<CountedSocket, "failed" | "succeeded">): number {
  return failed + succeeded;
}

type Said = Omit<CountedSocket, "readAt" | "begunAt">;

interface Heard {
  readonly failed: number;
  readonly open: Talks;
  /** By the server. */
  readonly spoken: number;
}

/**
 * What was said beyond the calls: a stream that succeeds has its answer, and one that begins its
 * request. It went to streams that failed since, or are open still.
 */
function heardSince(last: Said, now: Said): Heard {
  const byServer = now.sent - last.sent - (now.succeeded - last.succeeded);
  const byClient = now.received - last.received - (now.started - last.started);
  const server = Math.max(0, last.talks.server + byServer);
  const client = Math.max(0, last.talks.client + byClient);
  const failed = Math.max(0, Math.min(now.failed - last.failed, Math.max(server, client)));
  const stillOpen = (talks: number) => Math.min(now.open, Math.max(0, talks - failed));
  const open = { server: stillOpen(server), client: stillOpen(client) };
  return { failed, open, spoken: Math.max(0, byServer) };
}

function talksOfGone({ bySocket }: StreamSums, read: StreamSums["bySocket"]): number {
  return Object.entries(bySocket)
    .filter(([id]) => !(id in read))
    .reduce((sum, [, { talks }]) => sum + Math.max(talks.server, talks.client), 0);
}

function counted(
  { streamsStarted: started, streamsFailed: failed, openStreams: open, ...seen }: SocketFacts,
  last: CountedSocket | undefined,
  at: Instant,
): CountedSocket {
  const { streamsSucceeded: succeeded, messagesSent: sent, messagesReceived: received } = seen;
  const calls = { started, failed, succeeded, open, readAt: at };
  const now = { ...calls, sent, received, talks: SILENT };
  if (last?.started === started) return { ...now, begunAt: last.begunAt };
  // The app's clock may not be ours: what has begun since the last reading began after it.
  const told = Math.min(at, seen.lastRemoteStreamAt ?? at);
  return { ...now, begunAt: Math.max(told, last?.readAt ?? told) };
}

const SILENT: Talks = { server: 0, client: 0 };
const UNUSED: Said = {
  started: 0,
  failed: 0,
  succeeded: 0,
  sent: 0,
  received: 0,
  open: 0,
  talks: SILENT,
};
const NOTHING: StreamSums = {
  started: 0,
  failed: 0,
  answered: 0,
  answeredGone: 0,
  ended: 0,
  spoken: 0,
  bySocket: {},
  isComplete: false,
};

function merged({ bySocket }: StreamSums, read: StreamSums["bySocket"]): StreamSums["bySocket"] {
  const unread = Object.entries(bySocket).filter(([id]) => !(id in read));
  const room = Math.max(0, MOST_SOCKETS - Object.keys(read).length);
  return { ...Object.fromEntries(unread.slice(Math.max(0, unread.length - room))), ...read };
}
