import type { GoawayFacts, Http2Settings } from "../model/xray.ts";

/** Received metadata: lower-case keys, in order; `-bin` values stay base64. At most 64 KiB. */
export type Metadata = readonly (readonly [key: string, value: string])[];

/** A unary or server-streaming call on messages of bytes: the layers above know the types. */
export interface CallOptions {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly request: Uint8Array;
  /** Required: who starts work owns its deadline. `grpc-timeout` is sent from `timeoutMs`. */
  readonly signal: AbortSignal;
  /** Sent as `grpc-timeout`; absent for a stream without end. */
  readonly timeoutMs?: number;
  /** The greatest message accepted; default 4 MiB. */
  readonly maxMessageBytes?: number;
}

/** An answer with status OK. */
export interface UnaryAnswer {
  readonly message: Uint8Array;
  readonly headers: Metadata;
  readonly trailers: Metadata;
}

/** Why a connection ended, and who ended it; `flood`: we did, as the peer would not stop talking. */
export interface ConnectionEnd {
  readonly by: "us" | "goaway" | "fin" | "rst" | "flood" | "error";
  readonly errno?: string;
}

/**
 * One HTTP/2 connection to a gRPC server, ours: it shows what a library hides. Client side of "gRPC
 * over HTTP2" (grpc/grpc doc/PROTOCOL-HTTP2.md): unary and server streaming, no more.
 */
export interface Connection {
  /** `ip:port` or `unix:path`, as dialled. */
  readonly address: string;
  readonly localPort: number | undefined;
  readonly connectMs: number;
  /** How it is spoken to: as configured, else as the server was found to want it. */
  readonly spoke: "plaintext" | "tls";
  /** The server's SETTINGS; present from the moment that the connection is handed out. */
  readonly settings: Http2Settings;
  readonly goaway: GoawayFacts | undefined;
  readonly isOpen: boolean;
  /** Resolves once, when the connection has ended; never rejects. */
  readonly ended: Promise<ConnectionEnd>;
  /** Calls of ours that are open now. */
  readonly openCalls: number;
  /** Throws `CallError`. */
  unary(options: CallOptions): Promise<UnaryAnswer>;
  /** Yields each message; ends when the server ends it OK, throws `CallError` otherwise. */
  serverStream(options: CallOptions): AsyncIterable<Uint8Array>;
  /** Round trip of one PING, in ms. The caller minds the budget (findings: too-many-pings). */
  ping(signal: AbortSignal): Promise<number>;
  /** Cancels open calls, sends GOAWAY, closes. Idempotent. */
  close(): void;
}
