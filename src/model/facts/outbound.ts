import type { RemoteRows } from "../observation.ts";
import type { Instant } from "../time.ts";

/** One kernel read of what the app dials. */
export interface OutboundRead {
  readonly at: Instant;
  /** At most 100 remotes, those with SYN_SENT rows first. */
  readonly remotes: readonly RemoteRows[];
}

/**
 * The app's rows towards an upstream (its own addresses), or, on the target that owns the pod,
 * towards every remote of no configured upstream. Newest last, at most 12 reads.
 */
export interface Outbound {
  readonly reads: readonly OutboundRead[];
  /** `ip:port` → target text of the app's own channel that names it; absent = kernel-only. */
  readonly knownAs: Readonly<Record<string, string>>;
}
