import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { CallError } from "./call-error.ts";
import { FrameWatch } from "./frame-watch.ts";

export interface WatchedSocketOptions {
  readonly nowMs: () => number;
  /** Hears why the connection was ended, if a `FrameWatch` did. */
  readonly refused: (why: CallError) => void;
}

/**
 * A connected socket for an HTTP/2 client that is not ours to guard: what the server sends goes through a
 * `FrameWatch`. It takes the socket over, and ends with it.
 */
export class WatchedSocket extends Duplex {
  readonly #wire: Socket;
  readonly #watch: FrameWatch;
  readonly #refused: (why: CallError) => void;

  constructor(wire: Socket, { nowMs, refused }: WatchedSocketOptions) {
    super();
    this.#wire = wire;
    this.#watch = new FrameWatch(nowMs);
    this.#refused = refused;
    wire.on("data", (chunk: Buffer) => this.#hear(chunk));
    wire.pause();
    wire.once("end", () => this.push(null));
    wire.once("error", (error) => this.destroy(error));
    wire.once("close", () => this.destroy());
    // Before HTTP/2 hears of it: it would end this side as well, and Node asserts that nothing is written
    // meanwhile, whoever cancels a call just then. A connection that is gone takes any write.
    this.once("end", () => this.destroy());
  }

  override _read(): void {
    this.#wire.resume();
  }

  override _write(
    chunk: Uint8Array,
    _encoding: string,
    done: (error?: Error | null) => void,
  ): void {
    this.#wire.write(chunk, done);
  }

  /** Done at once, for the same reason: nobody can catch what is thrown in a timer. */
  override _final(done: (error?: Error | null) => void): void {
    this.#wire.end();
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#wire.destroy();
    done(error);
  }

  #hear(chunk: Buffer): void {
    let isMoreWanted = true;
    try {
      for (const piece of this.#watch.pass(chunk)) isMoreWanted = this.push(piece);
    } catch (thrown) {
      this.#refused(thrown as CallError);
      this.destroy(thrown as CallError);
    }
    if (!isMoreWanted) this.#wire.pause();
  }
}
