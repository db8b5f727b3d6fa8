import { type ClientHttp2Session, type ClientHttp2Stream, constants } from "node:http2";
import type { Socket } from "node:net";
import { secretsOf } from "../model/mask.ts";
import { hostPort, type Target } from "../model/target.ts";
import type { Clock } from "../model/time.ts";
import type { GoawayFacts, Http2Settings } from "../model/xray.ts";
import { abortable } from "../net/abortable.ts";
import { dialText } from "../net/dial.ts";
import { hangUp } from "../net/sniff.ts";
import { type CallWire, exchange } from "./call.ts";
import { CallError } from "./call-error.ts";
import { type Credentials, readCredentials } from "./credentials.ts";
import type { FloodGuard } from "./flood-guard.ts";
import type { Keep } from "./keep-whole.ts";
import type { CallLedger, OwnCallEnd } from "./own-calls.ts";
import { type ReachOptions, reach } from "./reach.ts";
import { Reply } from "./reply.ts";
import { type SpeakOptions, type Spoke, type Spoken, speak } from "./speak.ts";
import { newTrail, type Trail } from "./trail.ts";
import type { CallOptions, Connection, ConnectionEnd, Metadata, UnaryAnswer } from "./transport.ts";
import { verificationReason } from "./verification.ts";

/** How long a peer has, after our GOAWAY and FIN, for its own. */
const LINGER_MS = 1000;

export interface OpenOptions
  extends Pick<ReachOptions, "clock" | "signal" | "resolver" | "everyAddress" | "lookAt">,
    Pick<
      SpeakOptions,
      "lastSpoke" | "settingsTimeoutMs" | "sniffTimeoutMs" | "isSniffed" | "onSettings" | "onGoaway"
    > {
  /** Counts the calls of this connection. */
  readonly ownCalls?: CallLedger;
  /** Goes on with what credentials were where their files are not whole. Default: they are refused. */
  readonly keep?: Keep;
  /** What each phase showed, filled also when this throws. */
  readonly trail?: Trail;
  /**
   * Goes on though the certificate would be refused by a client: to look, without showing metadata.
   * Default: goes on where there is no metadata that could fall into the wrong hands.
   */
  readonly evenIfUnverified?: boolean;
}

/**
 * Opens one connection: resolve, TCP, TLS where it is spoken, HTTP/2 up to the server's SETTINGS. The
 * credentials are read from their files for it. Throws a `CallError` with the phase that failed.
 */
export async function openConnection(
  target: Target,
  options: OpenOptions,
): Promise<OpenedConnection> {
  const { trail = newTrail() } = options;
  try {
    const { address, socket, connectMs } = await reach(target.endpoint, trail, options);
    const credentials = await credentialsFor(target, socket, options);
    const spoken = await speak(socket, { target, address, trail }, { ...options, credentials });
    if (spoken.socket.localPort !== undefined) trail.localPort = spoken.socket.localPort;
    const opened = { target, credentials, spoken, trail, connectMs, address: dialText(address) };
    const connection = new Http2Connection(opened, options);
    refuseToShow(connection, target, options);
    return connection;
  } catch (thrown) {
    throw CallError.from(thrown, trail.phase);
  }
}

async function credentialsFor(
  target: Target,
  socket: Socket,
  { clock, keep }: OpenOptions,
): Promise<Credentials> {
  try {
    return await readCredentials(target, keep);
  } catch (thrown) {
    hangUp(socket, clock);
    throw thrown;
  }
}

/** Metadata may be a secret: who cannot prove the name that the user stated does not get to see it. */
function refuseToShow(connection: Http2Connection, target: Target, options: OpenOptions): void {
  if (target.metadata.length === 0 || options.evenIfUnverified === true) return;
  const { tls } = connection.trail;
  const reason =
    tls === undefined
      ? undefined
      : verificationReason(tls, options.clock.shown(options.clock.now()));
  if (reason === undefined) return;
  connection.close();
  throw new CallError({ phase: "tls", reason });
}

/** A connection, and how it came about. */
export interface OpenedConnection extends Connection {
  readonly spoke: Spoken;
  /** What each phase of it showed. */
  readonly trail: Trail;
}

interface Opened {
  readonly target: Target;
  readonly credentials: Credentials;
  readonly spoken: Spoke;
  readonly trail: Trail;
  readonly address: string;
  readonly connectMs: number;
}

class Http2Connection implements OpenedConnection, CallWire {
  readonly address: string;
  readonly localPort: number | undefined;
  readonly connectMs: number;
  readonly spoke: Spoken;
  readonly trail: Trail;
  readonly ended: Promise<ConnectionEnd>;
  readonly session: ClientHttp2Session;
  readonly socket: Socket;
  readonly guard: FloodGuard;
  readonly scheme: "http" | "https";
  readonly authority: string;
  readonly metadata: Metadata;
  readonly #shown: readonly string[];
  readonly streams = new Set<ClientHttp2Stream>();
  readonly #clock: Clock;
  readonly #ledger: CallLedger | undefined;
  isClosedByUs = false;

  constructor(opened: Opened, { clock, ownCalls }: OpenOptions) {
    const { target, credentials, spoken, trail } = opened;
    this.address = opened.address;
    this.localPort = trail.localPort;
    this.connectMs = opened.connectMs;
    this.spoke = spoken.spoke;
    this.trail = trail;
    this.session = spoken.session;
    this.socket = spoken.socket;
    this.guard = spoken.guard;
    this.scheme = spoken.spoke === "tls" ? "https" : "http";
    this.authority = target.authority ?? authorityOf(target);
    this.metadata = credentials.metadata;
    this.#shown = secretsOf(credentials.metadata);
    this.#clock = clock;
    this.#ledger = ownCalls;
    this.ended = this.#watchEnd();
  }

  get settings(): Http2Settings {
    return this.trail.settings ?? {};
  }

  get goaway(): GoawayFacts | undefined {
    return this.trail.goaway;
  }

  get isOpen(): boolean {
    return !this.isClosedByUs && !this.session.closed && !this.session.destroyed;
  }

  get openCalls(): number {
    return this.streams.size;
  }

  async unary(options: CallOptions): Promise<UnaryAnswer> {
    const reply = new Reply(options.path, this.#shown);
    const [message, ...others] = await this.#collect(options, reply);
    if (message === undefined || others.length > 0) {
      throw new CallError({ phase: "rpc", reason: "malformed_reply", answer: reply.facts(false) });
    }
    return { message, headers: reply.headers, trailers: reply.trailers };
  }

  serverStream(options: CallOptions): AsyncIterable<Uint8Array> {
    return this.#counted(options, new Reply(options.path, this.#shown));
  }

  async ping(signal: AbortSignal): Promise<number> {
    const started = this.#clock.monotonicMs();
    try {
      await abortable<void>(signal, (resolve, reject) => {
        this.session.ping((error) => (error === null ? resolve() : reject(error)));
      });
      return this.#clock.monotonicMs() - started;
    } catch (thrown) {
      throw CallError.from(thrown, "http2");
    }
  }

  close(): void {
    if (this.isClosedByUs) return;
    this.isClosedByUs = true;
    for (const stream of this.streams) stream.close(constants.NGHTTP2_CANCEL);
    this.session.close();
    const linger = this.#clock.deadline(LINGER_MS);
    const destroy = (): void => void this.socket.destroy();
    linger.addEventListener("abort", destroy, { once: true });
    this.socket.once("close", () => linger.removeEventListener("abort", destroy));
  }

  /** At most two messages: one too many is all that a unary call needs to see. */
  async #collect(options: CallOptions, reply: Reply): Promise<readonly Uint8Array[]> {
    const messages: Uint8Array[] = [];
    for await (const message of this.#counted(options, reply)) {
      messages.push(message);
      if (messages.length > 1) break;
    }
    return messages;
  }

  async *#counted(options: CallOptions, reply: Reply): AsyncGenerator<Uint8Array, void, undefined> {
    let end: OwnCallEnd;
    this.#ledger?.started();
    try {
      yield* exchange(this, options, reply);
      end = "OK";
    } catch (thrown) {
      const error = CallError.from(thrown, "rpc");
      end = error.fault.status;
      throw error;
    } finally {
      this.#ledger?.ended(end);
    }
  }

  #watchEnd(): Promise<ConnectionEnd> {
    let thrown: unknown;
    this.session.once("error", (error) => {
      thrown = error;
    });
    return new Promise((resolve) => {
      this.session.once("close", () => resolve(this.#endOf(thrown)));
    });
  }

  #endOf(thrown: unknown): ConnectionEnd {
    if (this.isClosedByUs) return { by: "us" };
    const { errno, reason } = CallError.from(thrown, "http2").fault;
    if (reason === "flooded") return { by: "flood" };
    if (this.goaway !== undefined) return { by: "goaway" };
    if (thrown === undefined) return { by: "fin" };
    if (errno === undefined) return { by: "error" };
    return { by: errno === "ECONNRESET" || errno === "EPIPE" ? "rst" : "error", errno };
  }
}

/** What a client of this address would send: gRPC's default for unix sockets is `localhost`. */
function authorityOf({ endpoint }: Target): string {
  return endpoint.kind === "unix" ? "localhost" : hostPort(endpoint.host, endpoint.port);
}
