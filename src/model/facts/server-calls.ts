import type { Implementation } from "../channelz.ts";
import type { Instant } from "../time.ts";

/**
 * One channelz poll of the server, normalised by the dialect (findings: counters per
 * implementation), without our own calls. Cumulative since the epoch began, monotonic.
 */
export interface CallPoll {
  readonly at: Instant;
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
  /** **x**: cancelled or past their deadline, as near as this implementation tells. */
  readonly cancelled: number;
  readonly inFlight: number;
  /** `inFlight` is an estimate from a sample of the sockets. */
  readonly isEstimated: boolean;
  /**
   * Streams, of those in flight, on connections on which none has begun lately: they stay open, and
   * nobody waits for their end. An estimate where not every connection was read; absent = not told.
   */
  readonly standing?: { readonly streams: number; readonly connections: number };
  /**
   * Streams of others, as their connections count them, since the epoch began. Absent where a failed
   * stream need not be a reset: there an error fails the stream too.
   */
  readonly streams?: { readonly started: number; readonly reset: number };
  /**
   * Streams of others that failed after the server had sent messages on them, or the client more than
   * one, at most: nobody waited for an answer there. As their connections count, those that ended with
   * one among them where it fails a call, since the epoch began; absent = not told.
   */
  readonly answered?: number;
  /**
   * Streams of others that ended, as their connections count, since the epoch began. A stream that
   * ends with its connection is never counted: a client that dies takes its counters along.
   */
  readonly ended?: number;
  /**
   * Streams of others on which more was said than a request, at most, that went with their connection,
   * since the epoch began; absent = none was seen. Only where every connection is read.
   */
  readonly left?: number;
  /**
   * Messages that the server sent to others beyond one for each stream that succeeded, as their
   * connections count, since the epoch began: what it says on streams. Absent = not told.
   */
  readonly spoken?: number;
}

/**
 * What **x** is counted as. `failed-calls`: every call that failed (any error is in it).
 * `failed-streams`: the streams that failed. `streams-beyond-calls`: those that failed as streams but
 * not as calls, without those that were no calls at all.
 */
export const CANCELLED_AS = ["failed-calls", "failed-streams", "streams-beyond-calls"] as const;
export type CancelledAs = (typeof CANCELLED_AS)[number];

/** The server's calls over the last 10 min (70 polls at most), newest last. */
export interface ServerCalls {
  readonly implementation: Implementation;
  /** A failed call ended with an error: those that were cancelled never fail here. */
  readonly failsByErrorOnly?: true;
  /** Of calls past their deadline the server's own timer ends some, which are no resets. */
  readonly timesDeadlines?: true;
  /** That timer may end each of them, and they are counted as any other error. */
  readonly hidesDeadlines?: true;
  /** Absent in a snapshot that is older. */
  readonly cancelledAs?: CancelledAs;
  readonly polls: readonly CallPoll[];
}
