import type { Witness } from "../source-name.ts";
import type { Instant } from "../time.ts";

/** The app's connections to one address of an upstream, without our own. */
export interface Peer {
  readonly address: string;
  readonly connections: number;
  /** Streams started on them in the last two channelz polls; absent where streams cannot be seen. */
  readonly newStreams?: number;
  readonly seenBy: Extract<Witness, "kernel" | "channelz-client">;
  /** When it was seen last: a read of the kernel's table may be minutes old. */
  readonly seenAt?: Instant;
  /** SYN_SENT rows with their highest retransmission count, or a sub-channel in TRANSIENT_FAILURE. */
  readonly failing?: { readonly by: "kernel" | "channelz-client"; readonly retransmits?: number };
}

/** A join: an upstream's connections, as the kernel and the app's own channels tell them. */
export interface Peers {
  readonly peers: readonly Peer[];
  /** Since when the app has had connections to this one address and no other. */
  readonly only?: { readonly address: string; readonly since: Instant };
}
