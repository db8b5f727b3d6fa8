import type { ConnectionObservation } from "../model/observation.ts";
import { present } from "../model/present.ts";
import type { Reason } from "../model/reason.ts";
import type { Target } from "../model/target.ts";
import type { Clock, Random } from "../model/time.ts";
import { type GoawayFacts, type Http2Settings, provenProtocol } from "../model/xray.ts";
import { abortable } from "../net/abortable.ts";
import type { NameResolver } from "../net/resolve.ts";
import { CallError } from "./call-error.ts";
import { type OpenedConnection, openConnection } from "./connection.ts";
import type { Keep } from "./keep-whole.ts";
import type { OwnCallsLedger } from "./own-calls.ts";
import { NO_ERROR } from "./session.ts";
import type { Spoken } from "./speak.ts";
import { newTrail } from "./trail.ts";
import type { Connection, ConnectionEnd } from "./transport.ts";

const FIRST_BACK_OFF_MS = 1000;
/** While nobody hears SETTINGS: the X-ray asks oftener, and ends the wait (`heard`). */
const LONGEST_BACK_OFF_MS = 120_000;
/** Between two that did not live, while fresh connections get SETTINGS. */
const SHORT_LIVED_BACK_OFF_MS = 30_000;
/** The server logs each try, and only a certificate that we are not given would change its mind. */
const LONGEST_BACK_OFF_UNCERTIFIED_MS = 300_000;
const JITTER = 0.2;
/** Longer than the greatest wait of each phase together, the other protocol included. */
const OPEN_TIMEOUT_MS = 20_000;
/** A connection that ended sooner, or in a flood, counts as a failed attempt. */
const STABLE_MS = 10_000;
/** After a GOAWAY a server that still takes connections then is no draining one, but a proxy. */
const DRAIN_MS = 60_000;

/**
 * Debug texts of a rotation: the connection is old or idle, the server is well. grpc-go, grpc-java,
 * C-core and grpc-js send `max_age`, Java and Go `max_idle` too; a graceful stop says `graceful_stop`
 * (Go), something of its own, or nothing.
 */
const ROTATIONS: ReadonlySet<string> = new Set(["max_age", "max_idle"]);

export interface KeptConnectionOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly resolver: NameResolver;
  readonly ownCalls: OwnCallsLedger;
  /** As in `OpenOptions`. */
  readonly keep?: Keep;
  /** Hears of each connection's life: opened, settings, goaway, closed. */
  observe(observation: ConnectionObservation): void;
  /** What a target spoke in an earlier life of ours, where somebody remembers. */
  lastSpoke?(target: string): Spoken | undefined;
}

/**
 * - `idle`: none is open; the next `get` opens one, but not before `retryAtMs`.
 * - `opening`: all who ask wait for the same attempt.
 * - `open`: it is handed out, until it ends.
 * - `draining`: the server stops, or we do; nothing is opened before `untilMs`, or `release`.
 */
type State =
  | { readonly kind: "idle"; readonly failed?: Failed }
  | { readonly kind: "opening"; readonly promise: Promise<Connection>; abort(): void }
  | { readonly kind: "open"; readonly connection: OpenedConnection; readonly sinceMs: number }
  | { readonly kind: "draining"; readonly untilMs: number };

interface Failed {
  readonly retryAtMs: number;
  /** The same, once a fresh connection has got SETTINGS. */
  readonly heardAtMs: number;
  readonly error: CallError;
}

/** The one kept connection of one target, and when there may be one. */
export class KeptConnection {
  readonly #target: Target;
  readonly #options: KeptConnectionOptions;
  #state: State = { kind: "idle" };
  #failedInRow = 0;
  #lastSpoke: Spoken | undefined;
  #ended: Promise<unknown> = Promise.resolve();

  constructor(target: Target, options: KeptConnectionOptions) {
    this.#target = target;
    this.#options = options;
    this.#lastSpoke = options.lastSpoke?.(target.name);
  }

  /** True where a connection for that target is the same as one for ours. */
  serves(target: Target): boolean {
    return target === this.#target || identityOf(target) === identityOf(this.#target);
  }

  async get(signal: AbortSignal): Promise<Connection> {
    const state = this.#current();
    switch (state.kind) {
      case "open":
        return state.connection;
      case "opening":
        return untilAborted(state.promise, signal);
      case "draining":
        throw new CallError({ phase: "http2", reason: "goaway" });
      case "idle":
        if (state.failed !== undefined && this.#now() < state.failed.retryAtMs) {
          throw state.failed.error;
        }
        return untilAborted(this.#open(), signal);
    }
  }

  drain(): void {
    this.#leave({ kind: "draining", untilMs: Number.POSITIVE_INFINITY });
  }

  renew(): void {
    if (this.#state.kind === "open") this.#state.connection.close();
  }

  release(): void {
    this.#failedInRow = 0;
    const { kind } = this.#state;
    if (kind === "draining" || kind === "idle") this.#state = { kind: "idle" };
  }

  heard(): void {
    const state = this.#current();
    if (state.kind !== "idle" || state.failed === undefined) return;
    const { retryAtMs, heardAtMs } = state.failed;
    const failed = { ...state.failed, retryAtMs: Math.min(retryAtMs, heardAtMs) };
    this.#state = { kind: "idle", failed };
  }

  async close(): Promise<void> {
    this.drain();
    await this.#ended;
  }

  #now(): number {
    return this.#options.clock.monotonicMs();
  }

  #current(): State {
    const state = this.#state;
    if (state.kind === "draining" && this.#now() >= state.untilMs) this.#state = { kind: "idle" };
    return this.#state;
  }

  #leave(next: State): void {
    const state = this.#state;
    this.#state = next;
    if (state.kind === "open") state.connection.close();
    if (state.kind === "opening") state.abort();
  }

  #open(): Promise<Connection> {
    const { clock } = this.#options;
    const stop = new AbortController();
    const promise = this.#establish(clock.deadline(OPEN_TIMEOUT_MS, stop.signal));
    this.#state = { kind: "opening", promise, abort: () => stop.abort() };
    // Whoever waits hears of it; nobody may be waiting any more.
    this.#ended = promise.catch(() => {});
    return promise;
  }

  async #establish(signal: AbortSignal): Promise<Connection> {
    const { clock, resolver, ownCalls, keep } = this.#options;
    const trail = newTrail();
    try {
      const connection = await openConnection(this.#target, {
        clock,
        signal,
        resolver,
        ownCalls: ownCalls.forTarget(this.#target.name),
        onSettings: (settings) => this.#hearSettings(settings),
        onGoaway: (goaway) => this.#hearGoaway(goaway),
        trail,
        // What a port speaks that takes no handshake is the X-ray's to find out.
        isSniffed: false,
        ...present({ lastSpoke: this.#lastSpoke, keep }),
      });
      return this.#adopt(connection);
    } catch (thrown) {
      // A server that only lacks our certificate is not asked again in the wrong protocol.
      this.#lastSpoke = provenProtocol(trail) ?? this.#lastSpoke;
      throw this.#fail(CallError.from(thrown, "http2"));
    }
  }

  #adopt(connection: OpenedConnection): Connection {
    this.#ended = connection.ended;
    if (this.#state.kind !== "opening") {
      connection.close();
      throw new CallError({ phase: "http2", reason: "subchannel_shutdown" });
    }
    this.#lastSpoke = connection.spoke;
    this.#state = { kind: "open", connection, sinceMs: this.#now() };
    const { address, connectMs, localPort, settings, goaway } = connection;
    this.#tell({ kind: "opened", address, connectMs, ...present({ localPort }) });
    this.#tell({ kind: "settings", settings });
    void connection.ended.then((end) => this.#hearEnd(connection, end));
    if (goaway !== undefined) this.#hearGoaway(goaway);
    return connection;
  }

  #fail(error: CallError): CallError {
    if (this.#state.kind !== "opening") return error;
    this.#state = { kind: "idle", failed: this.#failed(error, 0) };
    return error;
  }

  #failed(error: CallError, heardMs: number): Failed {
    this.#failedInRow += 1;
    const exponential = FIRST_BACK_OFF_MS * 2 ** (this.#failedInRow - 1);
    const jitter = 1 + JITTER * (2 * this.#options.random() - 1);
    const isUncertified = error.fault.reason === "client_certificate_required";
    const longest = isUncertified ? LONGEST_BACK_OFF_UNCERTIFIED_MS : LONGEST_BACK_OFF_MS;
    const nowMs = this.#now();
    const waitMs = Math.min(exponential, longest) * jitter;
    return { retryAtMs: nowMs + waitMs, heardAtMs: nowMs + heardMs * jitter, error };
  }

  #hearSettings(settings: Http2Settings): void {
    // The first ones are told after `opened`.
    if (this.#state.kind === "open") this.#tell({ kind: "settings", settings });
  }

  #hearGoaway(goaway: GoawayFacts): void {
    if (this.#state.kind !== "open") return;
    this.#tell({ kind: "goaway", goaway });
    const isStopping = goaway.code === NO_ERROR && !ROTATIONS.has(goaway.debugText);
    // An open Watch would keep the server from its graceful stop: our calls end with the connection.
    if (isStopping) this.#leave({ kind: "draining", untilMs: this.#now() + DRAIN_MS });
    else this.#state.connection.close();
  }

  #hearEnd(connection: OpenedConnection, end: ConnectionEnd): void {
    // When a GOAWAY made us close, the server ended it.
    const by = connection.goaway !== undefined && end.by === "us" ? "goaway" : end.by;
    const isFlood = by === "flood";
    const reason = REASON_BY_END[by];
    this.#tell({ kind: "closed", by, reason });
    const state = this.#state;
    if (state.kind !== "open" || state.connection !== connection) return;
    if (this.#now() - state.sinceMs >= STABLE_MS && !isFlood) {
      this.#failedInRow = 0;
      this.#state = { kind: "idle" };
      return;
    }
    const error = new CallError({ phase: "http2", reason });
    const failed = this.#failed(error, SHORT_LIVED_BACK_OFF_MS);
    this.#state = { kind: "idle", failed };
  }

  #tell(news: News): void {
    const { clock, observe } = this.#options;
    observe({ source: "connection", target: this.#target.name, at: clock.now(), ...news });
  }
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type News = DistributiveOmit<ConnectionObservation, "source" | "target" | "at">;

const REASON_BY_END: Readonly<Record<ConnectionEnd["by"], Reason>> = {
  us: "subchannel_shutdown",
  goaway: "goaway",
  fin: "connection_closed",
  rst: "connection_reset",
  flood: "flooded",
  error: "socket_error",
};

/** What a connection depends on; a change of anything else keeps it. */
function identityOf({ endpoint, authority, tls, metadata }: Target): string {
  return JSON.stringify([endpoint, authority, tls, metadata]);
}

/** Waits for what others wait for as well: an abort ends this wait, not the work. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await abortable<T>(signal, (resolve, reject) => void work.then(resolve, reject));
  } catch (thrown) {
    throw CallError.from(thrown, "http2");
  }
}
