import type { ClientHttp2Session } from "node:http2";
import type { Socket } from "node:net";
import { type Clock, untilWholeSecondMs } from "../model/time.ts";
import { CallError } from "./call-error.ts";

const WINDOW_MS = 1000;

/** SETTINGS, GOAWAY, informational HEADERS: a lawful server sends a handful in its life. */
const MOST_CONTROL_FRAMES = 100;

/** Pieces of a body that are smaller than this come one by one only from a server that means it. */
const CRUMB_BYTES = 64;
/** Beside one for each call: answers to small calls are small. */
const MOST_CRUMBS = 500;

/** What is no message of a call: frames of every kind, headers, the records of TLS. */
const MOST_OVERHEAD_BYTES = 1024 * 1024;
/** A flood is two mebibytes in each turn of the event loop: it is to be noticed within a few of them. */
const LOOK_MS = 100;
/** So long at that pace: from the begin, until each job has called once, and from any sign of a flood. */
const WARY_MS = 10_000;
/** More between two looks than calls and keepalive need. */
const SIGN_BYTES = 64 * 1024;

/**
 * Ends a connection whose peer sends more than our calls ask for. Node bounds what frames hold, not how
 * many come: a peer that sends nothing but the small ones takes a processor, and the event loop for
 * seconds at a time.
 *
 * All bounds are per second. Frames that reach us are counted as they come, since thousands of them
 * stand in one read; what the library swallows (WINDOW_UPDATE, PRIORITY, unknown types, frames of a call that
 * has ended) is looked for as bytes that were received and are no message: ten times a second while the
 * connection is young or such bytes come, and else once, since each look is a wake-up for nothing.
 *
 * Source: CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316 (floods of HTTP/2).
 */
export class FloodGuard {
  readonly #session: ClientHttp2Session;
  readonly #wire: Socket;
  readonly #clock: Clock;
  readonly #over = new AbortController();
  #windowEndMs: number;
  #controlFrames = 0;
  #crumbs = 0;
  #messageBytes = 0;

  /** `wire` is the socket at the bottom: below TLS, where there is any. */
  constructor(session: ClientHttp2Session, wire: Socket, clock: Clock) {
    this.#session = session;
    this.#wire = wire;
    this.#clock = clock;
    this.#windowEndMs = clock.monotonicMs() + WINDOW_MS;
    session.on("remoteSettings", () => this.heardControlFrame());
    session.on("goaway", () => this.heardControlFrame());
    session.once("close", () => this.#over.abort());
    void this.#watchOverhead();
  }

  /** A frame has come that is no part of an answer. */
  heardControlFrame(): void {
    this.#turn();
    this.#controlFrames += 1;
    if (this.#controlFrames > MOST_CONTROL_FRAMES) this.#end();
  }

  /** A call begins. */
  callStarted(): void {
    this.#turn();
    this.#crumbs -= 1;
  }

  /** A piece of a body has come. */
  heardBody(bytes: number): void {
    this.#turn();
    this.#messageBytes += bytes;
    if (bytes < CRUMB_BYTES) this.#crumbs += 1;
    if (this.#crumbs > MOST_CRUMBS) this.#end();
  }

  #turn(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#windowEndMs) return;
    this.#windowEndMs = nowMs + WINDOW_MS;
    this.#controlFrames = 0;
    this.#crumbs = 0;
  }

  async #watchOverhead(): Promise<void> {
    let nowMs = this.#clock.monotonicMs();
    let waryUntilMs = nowMs + WARY_MS;
    let windowEndMs = nowMs + WINDOW_MS;
    let atWindowStart = this.#overheadBytes();
    let before = atWindowStart;
    try {
      for (;;) {
        const isWary = nowMs < waryUntilMs;
        await this.#clock.sleep(isWary ? LOOK_MS : untilWholeSecondMs(nowMs), this.#over.signal);
        const bytes = this.#overheadBytes();
        if (bytes - atWindowStart > MOST_OVERHEAD_BYTES) return this.#end();
        nowMs = this.#clock.monotonicMs();
        if (bytes - before > SIGN_BYTES) waryUntilMs = nowMs + WARY_MS;
        before = bytes;
        if (isWary && nowMs < windowEndMs) continue;
        atWindowStart = bytes;
        windowEndMs = nowMs + WINDOW_MS;
      }
    } catch {
      // The connection has ended: nothing is left to watch.
    }
  }

  #overheadBytes(): number {
    return this.#wire.bytesRead - this.#messageBytes;
  }

  #end(): void {
    this.#session.destroy(new CallError({ phase: "http2", reason: "flooded" }));
  }
}
