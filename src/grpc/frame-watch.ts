import { CallError } from "./call-error.ts";

const HEAD_BYTES = 9;
/** Source: RFC 9113 section 6. */
const DATA = 0;
const HEADERS = 1;
const PUSH_PROMISE = 5;
const CONTINUATION = 9;
/** Of what a call is made. */
const MESSAGE_TYPES: ReadonlySet<number> = new Set([DATA, HEADERS, PUSH_PROMISE, CONTINUATION]);
const END_HEADERS = 4;

const WINDOW_MS = 1_000;

/** What is neither DATA nor fields: a lawful server sends a handful, and some for the windows of a long call. */
const MOST_CONTROL_FRAMES = 500;
/** Smaller ones come in thousands only from a server that means it: a call takes 1000 messages at most. */
const SMALL_BYTES = 64;
const MOST_SMALL_FRAMES = 2_000;
/** All that is no DATA. */
const MOST_OVERHEAD_BYTES = 1024 * 1024;
/** Twice what a call takes. */
const MOST_DATA_BYTES = 8 * 1024 * 1024;
/** Of one block of fields: Node takes 64 KiB, and refuses more by itself. */
const MOST_BLOCK_BYTES = 1024 * 1024;

/**
 * Follows the frames of a server before anybody reads them, and lets go on what a client can bear: no more
 * in a second than lawful calls ask for, and a block of fields only once it is whole.
 *
 * Whole, as Node 20 ends the process where a session is collected while a stream of it holds fields of a
 * block that did not end (nodejs/node#39951; `keep-behind.ts`).
 *
 * Source: CVE-2019-9511 to 9518, CVE-2023-44487, CVE-2024-27316 (floods of HTTP/2).
 */
export class FrameWatch {
  readonly #nowMs: () => number;
  readonly #head = Buffer.alloc(HEAD_BYTES);
  #headBytes = 0;
  /** Of the frame at hand, still to come. */
  #left = 0;

  #isInBlock = false;
  #isBlockEnding = false;
  /** Where in the chunk at hand the block that is open began; 0 if before it. */
  #blockFrom = 0;
  #held: Buffer[] = [];
  #heldBytes = 0;

  #windowEndMs = Number.NEGATIVE_INFINITY;
  #controlFrames = 0;
  #smallFrames = 0;
  #overheadBytes = 0;
  #dataBytes = 0;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /**
   * What may go on once `chunk` has come, in order. Throws a `CallError` of phase `http2` where nothing
   * may, and the connection is to end.
   */
  pass(chunk: Buffer): readonly Buffer[] {
    this.#turn();
    this.#blockFrom = 0;
    this.#follow(chunk);
    const safe = this.#isInBlock ? this.#blockFrom : chunk.length;
    const isReleasing = safe > 0;
    const passed = isReleasing ? [...this.#held.splice(0), chunk.subarray(0, safe)] : [];
    if (isReleasing) this.#heldBytes = 0;
    if (safe < chunk.length) this.#hold(chunk.subarray(safe));
    return passed;
  }

  #turn(): void {
    const nowMs = this.#nowMs();
    if (nowMs < this.#windowEndMs) return;
    this.#windowEndMs = nowMs + WINDOW_MS;
    this.#controlFrames = 0;
    this.#smallFrames = 0;
    this.#overheadBytes = 0;
    this.#dataBytes = 0;
  }

  #follow(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) {
      const isInHead = this.#headBytes < HEAD_BYTES;
      at += isInHead ? this.#readHead(chunk, at) : this.#skip(chunk.length - at);
      if (this.#headBytes === HEAD_BYTES && this.#left === 0) this.#end();
    }
  }

  #readHead(chunk: Buffer, at: number): number {
    const bytes = chunk.copy(this.#head, this.#headBytes, at, at + HEAD_BYTES - this.#headBytes);
    this.#headBytes += bytes;
    if (this.#headBytes === HEAD_BYTES) this.#begin(at + bytes);
    return bytes;
  }

  #skip(most: number): number {
    const bytes = Math.min(this.#left, most);
    this.#left -= bytes;
    return bytes;
  }

  /** The payload of a frame begins at `at`. */
  #begin(at: number): void {
    const type = this.#head.readUInt8(3);
    this.#left = this.#head.readUIntBE(0, 3);
    this.#count(type, this.#left);
    if (this.#isInBlock && type !== CONTINUATION) {
      throw new CallError({ phase: "http2", reason: "not_http2" });
    }
    this.#isBlockEnding = (this.#head.readUInt8(4) & END_HEADERS) !== 0;
    if (type !== HEADERS && type !== PUSH_PROMISE) return;
    this.#isInBlock = true;
    this.#blockFrom = at;
  }

  #end(): void {
    this.#headBytes = 0;
    if (this.#isBlockEnding) this.#isInBlock = false;
  }

  #count(type: number, bytes: number): void {
    if (bytes < SMALL_BYTES) this.#smallFrames += 1;
    if (type === DATA) this.#dataBytes += bytes;
    else this.#overheadBytes += HEAD_BYTES + bytes;
    if (!MESSAGE_TYPES.has(type)) this.#controlFrames += 1;
    const isFlood =
      this.#controlFrames > MOST_CONTROL_FRAMES ||
      this.#smallFrames > MOST_SMALL_FRAMES ||
      this.#overheadBytes > MOST_OVERHEAD_BYTES ||
      this.#dataBytes > MOST_DATA_BYTES;
    if (isFlood) throw flooded();
  }

  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (this.#heldBytes > MOST_BLOCK_BYTES) throw flooded();
  }
}

const flooded = () => new CallError({ phase: "http2", reason: "flooded" });
