import type { Instant } from "./time.ts";

/**
 * Channelz objects as gRFC A14 defines them, as one cycle read them: numbers narrowed from 64 bits
 * (bounded at 2^53), absent where a peer did not send a field. What an implementation means by a
 * number is decided in `grpc/dialects/`, which fills the fields marked *normalised*.
 */

/** Who wrote the server: its channelz, texts and defaults differ. */
export const IMPLEMENTATIONS = ["go", "java", "c-core", "grpc-js", "tonic", "unknown"] as const;

export type Implementation = (typeof IMPLEMENTATIONS)[number];

export interface ServerTotals {
  readonly id: number;
  readonly callsStarted: number;
  readonly callsSucceeded: number;
  readonly callsFailed: number;
  /** `ip:port` of each listen socket, where the name or address tells it. */
  readonly listens: readonly string[];
  readonly createdAt?: Instant;
}

export interface SocketFacts {
  readonly id: number;
  /** Remote address without port, and its port apart. */
  readonly peer: string;
  readonly peerPort?: number;
  readonly streamsStarted: number;
  readonly streamsSucceeded: number;
  readonly streamsFailed: number;
  /** Normalised: streams open now. */
  readonly openStreams: number;
  readonly messagesSent: number;
  readonly messagesReceived: number;
  readonly keepAlivesSent: number;
  readonly lastRemoteStreamAt?: Instant;
  readonly lastMessageSentAt?: Instant;
  readonly lastMessageReceivedAt?: Instant;
  /** Normalised: the can-send window of the connection; 0 = exhausted, absent = not told. */
  readonly canSendBytes?: number;
  /** Normalised: the writer is blocked in the socket (Go's sentinel −2). */
  readonly writerBlocked?: boolean;
  /** SHA-256 of the peer's and our leaf, where TLS is told. */
  readonly localFingerprint?: string;
}

export type ChannelState =
  | "UNKNOWN"
  | "IDLE"
  | "CONNECTING"
  | "READY"
  | "TRANSIENT_FAILURE"
  | "SHUTDOWN";

export interface SubchannelFacts {
  readonly id: number;
  readonly state: ChannelState;
  readonly target: string;
  readonly callsStarted: number;
  readonly callsSucceeded: number;
  readonly callsFailed: number;
  /** `ip:port` of its connections. */
  readonly remotes: readonly string[];
  /** Streams open over its connections; normalised (on grpc-js from the sub-channel's calls). */
  readonly openStreams: number;
  readonly lastError?: string;
}

export interface ChannelFacts {
  readonly id: number;
  readonly state: ChannelState;
  /** As the app gave it. */
  readonly target: string;
  readonly callsStarted: number;
  readonly callsSucceeded: number;
  readonly callsFailed: number;
  readonly subchannels: readonly SubchannelFacts[];
  /** Newest error text of its trace, one line, masked. */
  readonly lastError?: string;
}
