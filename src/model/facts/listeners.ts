import type { ListenRow } from "../socket-rows.ts";
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
  /** Of those, on connections that the app has accepted; absent where the kernel does not tell. */
  readonly acceptedReceiveQueueBytes?: number;
  /** The app-side row of our kept connection. */
  readonly keptReceiveQueueBytes?: number;
}

/**
 * True where the app neither accepts nor reads: connections wait to be accepted in both of the newest
 * reads, in the last no fewer, and what it has accepted lies unread too. An accepted connection with an
 * empty queue may be idle, or served: then only accepting is stuck.
 */
export function isStandstill(reads: readonly AcceptRead[]): boolean {
  const [before, last] = reads.slice(-2);
  if (before === undefined || last?.unaccepted === undefined) return false;
  const isQueueStanding = before.queued > 0 && last.queued >= before.queued;
  const unread = last.acceptedReceiveQueueBytes ?? 0;
  const isUnread = unread > 0 && unread >= (before.acceptedReceiveQueueBytes ?? 0);
  return isQueueStanding && (last.established === last.unaccepted || isUnread);
}

/** Who listens on the target's port, and how its accept queue fares. Role app only. */
export interface Listeners {
  readonly rows: readonly ListenRow[];
  /** Everything that listens in the pod, `address:port`. */
  readonly listening: readonly string[];
  readonly sharesNetwork: boolean;
  /** Clients within the pod, the most that one read of this epoch saw: a proxy may call rarely. */
  readonly loopbackClients: number;
  /** Newest last, at most 40. */
  readonly reads: readonly AcceptRead[];
  /** Since when the rows have been these (address and port). */
  readonly since: Instant;
}
