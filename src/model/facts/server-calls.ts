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
}

/** The server's calls over the last 10 min (70 polls at most), newest last. */
export interface ServerCalls {
  readonly implementation: Implementation;
  readonly polls: readonly CallPoll[];
}
