import type { ListenRow } from "../observation.ts";
import type { Instant } from "../time.ts";

/** One kernel read of the port: what accepts, and what waits to be accepted. */
export interface AcceptRead {
  readonly at: Instant;
  readonly queued: number;
  /** Established and not accepted (inode 0); absent where the kernel does not tell. */
  readonly unaccepted?: number;
  readonly overflows?: number;
  readonly drops?: number;
  readonly established: number;
  readonly receiveQueueBytes: number;
  /** The app-side row of our kept connection. */
  readonly keptReceiveQueueBytes?: number;
}

/** Who listens on the target's port, and how its accept queue fares. Role app only. */
export interface Listeners {
  readonly rows: readonly ListenRow[];
  /** Everything that listens in the pod, `address:port`. */
  readonly listening: readonly string[];
  readonly sharesNetwork: boolean;
  readonly loopbackClients: number;
  /** Newest last, at most 40. */
  readonly reads: readonly AcceptRead[];
  /** Since when the rows have been these (address and port). */
  readonly since: Instant;
}
