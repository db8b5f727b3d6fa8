import { ChannelCredentials } from "@grpc/grpc-js";
import type { Phase } from "../model/phase.ts";
import type { CallError } from "./call-error.ts";
import { type Connector, WatchedCredentials } from "./watched-credentials.ts";

/** How far one connection attempt of grpc-js has come; monotonic ms. */
export interface ConnectProgress {
  /** TCP connect began; before it, the name was resolved. */
  tcpStartedMs?: number;
  tcpConnectedMs?: number;
  tlsDoneMs?: number;
  /** SETTINGS arrived: the channel is READY. */
  readyMs?: number;
  tlsError?: unknown;
  /** We ended the connection, for what the server sent. */
  refused?: CallError;
}

/**
 * Watched credentials that note when each phase of a connection began: grpc-js has no such hooks, but its
 * credentials are asked before TCP, after it, and make the TLS handshake. They note the first attempt
 * after `begin`, as the attempts after it are hidden from the caller too.
 */
export class TimedCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #nowMs: () => number;
  #progress: ConnectProgress = {};
  #isClosed = false;

  constructor(inner: ChannelCredentials, nowMs: () => number) {
    super();
    const refused = (why: CallError) => {
      this.#progress.refused ??= why;
    };
    this.#inner = new WatchedCredentials(inner, { nowMs, refused });
    this.#nowMs = nowMs;
  }

  get progress(): ConnectProgress {
    return this.#progress;
  }

  /** Forgets what was noted. */
  begin(): void {
    this.#progress = {};
  }

  /**
   * Refuses every connection from now on: a sub-channel of grpc-js that waits to try again does so
   * after its channel was closed, and nobody would end what it opens.
   */
  close(): void {
    this.#isClosed = true;
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...[channelTarget, options, callCredentials]: Parameters<
      ChannelCredentials["_createSecureConnector"]
    >
  ): Connector {
    const inner = this.#inner._createSecureConnector(channelTarget, options, callCredentials);
    return {
      waitForReady: async () => {
        await inner.waitForReady();
        if (this.#isClosed) throw new Error("the channel is closed");
        this.#progress.tcpStartedMs ??= this.#nowMs();
      },
      connect: async (socket) => {
        const progress = this.#progress;
        progress.tcpConnectedMs ??= this.#nowMs();
        if (this.#isClosed) throw new Error("the channel is closed");
        try {
          const connected = await inner.connect(socket);
          progress.tlsDoneMs ??= this.#nowMs();
          return connected;
        } catch (thrown) {
          progress.tlsError ??= thrown;
          throw thrown;
        }
      },
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }
}

/** The phase in which an attempt stands that has not become READY. */
export function reachedPhase(progress: ConnectProgress, isSecure: boolean): Phase {
  if (progress.tcpStartedMs === undefined) return "dns";
  if (progress.tcpConnectedMs === undefined) return "tcp";
  return isSecure && progress.tlsDoneMs === undefined ? "tls" : "http2";
}

/** The phases of an attempt that began at `startedMs`, as far as it came. */
export function connectPhases(
  progress: ConnectProgress,
  { startedMs, isSecure, hasName }: { startedMs: number; isSecure: boolean; hasName: boolean },
): Readonly<Partial<Record<Phase, number>>> {
  const { tcpStartedMs, tcpConnectedMs, tlsDoneMs, readyMs } = progress;
  const phases: Partial<Record<Phase, number>> = {};
  if (hasName && tcpStartedMs !== undefined) phases.dns = tcpStartedMs - startedMs;
  if (tcpStartedMs !== undefined && tcpConnectedMs !== undefined) {
    phases.tcp = tcpConnectedMs - tcpStartedMs;
  }
  if (isSecure && tcpConnectedMs !== undefined && tlsDoneMs !== undefined) {
    phases.tls = tlsDoneMs - tcpConnectedMs;
  }
  if (tlsDoneMs !== undefined && readyMs !== undefined) phases.http2 = readyMs - tlsDoneMs;
  return phases;
}
