import type { RemoteRows } from "../socket-rows.ts";
import type { Instant } from "../time.ts";

/** One kernel read of what the app dials. */
export interface OutboundRead {
  readonly at: Instant;
  /** At most 100 remotes, those with SYN_SENT rows first. */
  readonly remotes: readonly RemoteRows[];
}

/** What one minute of reads showed of one busy remote. */
export interface RemoteMinute {
  readonly address: string;
  readonly port: number;
  /** In the newest read of the minute. */
  readonly established: number;
  readonly timeWait: number;
  /**
   * Local ports that one read had and the read before had not: connections begun, of those that lived
   * long enough to be seen. A lower bound; 0 where there are too many ports to compare.
   */
  readonly newPorts: number;
}

export interface OutboundMinute {
  /** The first read of the minute. */
  readonly at: Instant;
  /** The newest one. */
  readonly to: Instant;
  /** At most 100, the busiest first. */
  readonly remotes: readonly RemoteMinute[];
}

/**
 * The app's rows towards an upstream (its own addresses), or, on the target that owns the pod,
 * towards every remote of no configured upstream. Newest last, at most 12 reads.
 */
export interface Outbound {
  readonly reads: readonly OutboundRead[];
  /** Whole minutes and the one that runs, newest last, at most 12. */
  readonly minutes: readonly OutboundMinute[];
  /** `ip:port` → target text of the app's own channel that names it; absent = kernel-only. */
  readonly knownAs: Readonly<Record<string, string>>;
}
