import {
  Client,
  type ClientDuplexStream,
  connectivityState,
  credentials,
  type StatusObject,
} from "@grpc/grpc-js";
import type { SentMetadata } from "../model/facts/probes.ts";
import { maskText, secretsOf } from "../model/mask.ts";
import { present } from "../model/present.ts";
import type { Compression } from "../model/probe-spec.ts";
import { statusName } from "../model/status.ts";
import type { Target } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import type { XrayReport } from "../model/xray.ts";
import type { TlsMaterial } from "../net/handshake.ts";
import { CallError } from "./call-error.ts";
import { channelAddress, channelOptions, secureCredentials } from "./client-channel.ts";
import { entries, grpcMetadata, sentMetadata } from "./client-metadata.ts";
import { connectPhases, reachedPhase, TimedCredentials } from "./timed-credentials.ts";
import type { Metadata } from "./transport.ts";

export interface ClientOptions {
  readonly target: Target;
  /** Absent = plaintext. */
  readonly tls?: TlsMaterial;
  readonly compression: Compression;
  readonly clock: Clock;
}

export interface ClientCall {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requests: readonly Uint8Array[];
  readonly metadata: Metadata;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Each response as it comes. */
  readonly heard?: (message: Uint8Array) => void;
}

/** What came of a call, whether it ended well or not. */
export interface ClientReply {
  /** Absent when the status was OK. */
  readonly error?: CallError;
  /** At most 1000, 4 MiB in all. */
  readonly responses: readonly Uint8Array[];
  readonly headers: Metadata;
  readonly trailers: Metadata;
  readonly durationMs: number;
  readonly firstMessageMs?: number;
  /** Of the connection too, where this call had to wait for one. */
  readonly phaseMs: XrayReport["phaseMs"];
  /** This call had to wait for the connection. */
  readonly isFirstOnChannel: boolean;
  /** `ip:port` of the far end; absent without a connection. */
  readonly peer?: string;
  readonly requestBytes: number;
  readonly responseBytes: number;
  /** Of what is configured, without the trace context; absent where nothing is. */
  readonly metadata?: SentMetadata;
}

const MAX_RESPONSES = 1000;
const MAX_RESPONSE_BYTES = 4 * 1024 * 1024;

/**
 * A grpc-js channel that does what the users' clients do, and hides nothing: no retries, no service
 * config from DNS, no proxy, no sub-channels shared with others; the deadline is explicit.
 *
 * Every kind of RPC goes through one bidirectional stream, as the wire knows no other: the number of
 * messages is what makes it unary.
 */
export class ProbeClient {
  readonly #options: ClientOptions;
  readonly #credentials: TimedCredentials;
  readonly #client: Client;

  constructor(options: ClientOptions) {
    const { target, tls, compression, clock } = options;
    this.#options = options;
    this.#credentials = new TimedCredentials(
      tls === undefined ? credentials.createInsecure() : secureCredentials(target, tls),
      () => clock.monotonicMs(),
    );
    this.#client = new Client(channelAddress(target), this.#credentials, {
      ...channelOptions(target, compression),
      "grpc.max_receive_message_length": MAX_RESPONSE_BYTES,
    });
  }

  /** False once the channel is stuck: grpc-js has no connect timer, and backs off for two minutes. */
  get isUsable(): boolean {
    const state = this.#client.getChannel().getConnectivityState(false);
    return state === connectivityState.READY || state === connectivityState.IDLE;
  }

  close(): void {
    this.#credentials.close();
    this.#client.close();
  }

  /** Makes one call; never rejects: what failed is in the reply. */
  async call(call: ClientCall): Promise<ClientReply> {
    const { clock, target, tls } = this.#options;
    this.#credentials.begin();
    const startedMs = clock.monotonicMs();
    const isWaiting = !this.#isReady();
    if (isWaiting) this.#noteReady(clock.shown(clock.now()) + call.deadlineMs);

    const heard = await this.#exchange(call, startedMs);
    const endedMs = clock.monotonicMs();
    const { progress } = this.#credentials;
    const began = {
      startedMs,
      isSecure: tls !== undefined,
      hasName: target.endpoint.kind === "name",
    };
    const connecting = isWaiting ? connectPhases(progress, began) : {};
    const hadConnection = !isWaiting || progress.readyMs !== undefined;
    const callStartedMs = isWaiting ? progress.readyMs : startedMs;
    const { error, ...rest } = heard;
    const sharper =
      error && (progress.refused ?? (hadConnection ? error : this.#connectError(error)));
    return {
      ...rest,
      ...(sharper !== undefined && { error: sharper }),
      durationMs: endedMs - startedMs,
      phaseMs: {
        ...connecting,
        ...(callStartedMs !== undefined && { rpc: endedMs - callStartedMs }),
      },
      isFirstOnChannel: isWaiting,
      requestBytes: byteLength(call.requests),
      responseBytes: byteLength(heard.responses),
      ...present({ metadata: sentMetadata(call.metadata) }),
    };
  }

  #isReady(): boolean {
    return this.#client.getChannel().getConnectivityState(false) === connectivityState.READY;
  }

  /** Not `waitForReady`: it wakes a channel that was closed meanwhile, and that one is never freed. */
  #noteReady(deadline: number): void {
    const { progress } = this.#credentials;
    const { clock } = this.#options;
    const channel = this.#client.getChannel();
    const look = () => {
      const state = channel.getConnectivityState(false);
      if (state === connectivityState.READY) progress.readyMs ??= clock.monotonicMs();
      else if (state !== connectivityState.SHUTDOWN)
        channel.watchConnectivityState(state, deadline, again);
    };
    const again = (error?: Error) => {
      if (error === undefined) look();
    };
    look();
  }

  /** The status of a call without connection says little; how far it came, and the TLS error, say more. */
  #connectError(error: CallError): CallError {
    const { progress } = this.#credentials;
    const phase = reachedPhase(progress, this.#options.tls !== undefined);
    if (progress.tlsError !== undefined) return CallError.from(progress.tlsError, phase);
    const { statusText, reason } = error.fault;
    return new CallError({
      phase,
      reason: reason === "status" ? "other" : reason,
      ...(statusText !== undefined && { statusText }),
    });
  }

  #exchange(call: ClientCall, startedMs: number): Promise<Heard> {
    const { clock } = this.#options;
    const stream = this.#client.makeBidiStreamRequest(
      call.path,
      bytes,
      bytes,
      grpcMetadata(call.metadata),
      { deadline: clock.shown(clock.now()) + call.deadlineMs },
    );
    return new Promise((resolve) => {
      const responses: Uint8Array[] = [];
      let headers: Metadata = [];
      let firstMessageMs: number | undefined;
      let received = 0;
      const abort = () => stream.cancel();
      if (call.signal.aborted) abort();
      call.signal.addEventListener("abort", abort, { once: true });

      stream.on("metadata", (metadata) => {
        headers = entries(metadata);
      });
      stream.on("data", (message: Buffer) => {
        firstMessageMs ??= clock.monotonicMs() - startedMs;
        received += message.length;
        responses.push(message);
        call.heard?.(message);
        if (responses.length > MAX_RESPONSES || received > MAX_RESPONSE_BYTES) stream.cancel();
      });
      // The status tells it too, and always comes; without a listener the error would be thrown.
      stream.on("error", () => {});
      stream.on("status", (status: StatusObject) => {
        call.signal.removeEventListener("abort", abort);
        const isTooMuch = responses.length > MAX_RESPONSES || received > MAX_RESPONSE_BYTES;
        const error = isTooMuch
          ? new CallError({ phase: "rpc", reason: "message_too_large" })
          : statusError(status, call, clock.monotonicMs() - startedMs);
        const peer = peerOf(stream);
        resolve({
          responses: isTooMuch ? [] : responses,
          headers,
          trailers: entries(status.metadata),
          ...(error !== undefined && { error }),
          ...(firstMessageMs !== undefined && { firstMessageMs }),
          ...(peer !== undefined && { peer }),
        });
      });
      for (const request of call.requests) stream.write(request);
      stream.end();
    });
  }
}

type Heard = Pick<
  ClientReply,
  "responses" | "headers" | "trailers" | "error" | "firstMessageMs" | "peer"
>;

/**
 * A server that keeps the deadline itself may be first, and resets: grpc-go and C-core read that as we do.
 * Source: grpc-go internal/transport/http2_client.go, handleRSTStream.
 */
function statusError(
  { code, details }: StatusObject,
  { metadata, signal, deadlineMs }: ClientCall,
  tookMs: number,
): CallError | undefined {
  const told = statusName(code);
  if (told === "OK") return undefined;
  const isOurs = told === "CANCELLED" && signal.aborted;
  const isLate = told === "CANCELLED" && !isOurs && tookMs >= deadlineMs;
  const status = isLate ? "DEADLINE_EXCEEDED" : told;
  const reason = status === "DEADLINE_EXCEEDED" ? "deadline" : isOurs ? "agent" : "status";
  const statusText = maskText(details, secretsOf(metadata));
  return new CallError({ phase: "rpc", reason, status, ...(statusText !== "" && { statusText }) });
}

/** Before a connection is chosen, grpc-js gives the channel's target. */
function peerOf(stream: ClientDuplexStream<Buffer, Buffer>): string | undefined {
  const peer = stream.getPeer();
  return /^(?:\d|\[|\/|unix:)/.test(peer) ? peer : undefined;
}

function byteLength(messages: readonly Uint8Array[]): number {
  return messages.reduce((sum, message) => sum + message.length, 0);
}

function bytes(message: Uint8Array): Buffer {
  return Buffer.from(message.buffer, message.byteOffset, message.length);
}
