import { CallError } from "./call-error.ts";

/** The greatest message accepted where a call states no other; gRPC's own default. */
const DEFAULT_MAX_MESSAGE_BYTES = 4 * 1024 * 1024;

const PREFIX_BYTES = 5;

/**
 * One message as a Length-Prefixed-Message, uncompressed.
 * Source: grpc/grpc doc/PROTOCOL-HTTP2.md, "Requests".
 */
export function frameMessage(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

/** What is kept of a message that has begun; it doubles as the message comes. */
const FIRST_CAPACITY = 64;

/**
 * Cuts a body into messages, over whatever chunks it comes in.
 *
 * A length is checked before anything is kept for it, and room is made as bytes come and not as they
 * are announced. What is kept is a copy: a chunk of one byte is a view of a read of 64 KiB, which it
 * would hold. So a peer can make us hold twice the greatest message, no more. A compressed message is
 * refused: we never offer an encoding.
 */
export class MessageReader {
  readonly #maxBytes: number;
  #frame: Uint8Array = new Uint8Array();
  #length = 0;
  /** Bytes of the whole frame; until its prefix is there, those of the prefix. */
  #wanted = PREFIX_BYTES;

  constructor(maxBytes: number = DEFAULT_MAX_MESSAGE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** True when the body may end here: no message has begun. */
  get isBetweenMessages(): boolean {
    return this.#length === 0;
  }

  /** Yields each message that this chunk completes. Throws a `CallError` on what is no message. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, undefined> {
    let rest = chunk;
    while (rest.length > 0) {
      rest = this.#keep(rest);
      if (this.#length < this.#wanted) return;
      if (this.#wanted === PREFIX_BYTES) this.#wanted += this.#readPrefix();
      if (this.#length === this.#wanted) yield this.#take();
    }
  }

  /** Keeps what belongs to the frame at the front; what is beyond it is returned. */
  #keep(chunk: Uint8Array): Uint8Array {
    const kept = chunk.subarray(0, this.#wanted - this.#length);
    const length = this.#length + kept.length;
    if (length > this.#frame.length) {
      const capacity = Math.max(length, FIRST_CAPACITY, 2 * this.#frame.length);
      const larger = new Uint8Array(Math.min(capacity, PREFIX_BYTES + this.#maxBytes));
      larger.set(this.#frame.subarray(0, this.#length));
      this.#frame = larger;
    }
    this.#frame.set(kept, this.#length);
    this.#length = length;
    return chunk.subarray(kept.length);
  }

  #readPrefix(): number {
    const size = new DataView(this.#frame.buffer).getUint32(1);
    const flag = this.#frame[0] ?? 0;
    if (flag > 1) throw new CallError({ phase: "rpc", reason: "not_grpc" });
    if (size > this.#maxBytes) {
      throw new CallError({ phase: "rpc", reason: "message_too_large" });
    }
    if (flag === 1) throw new CallError({ phase: "rpc", reason: "malformed_reply" });
    return size;
  }

  #take(): Uint8Array {
    const message = this.#frame.subarray(PREFIX_BYTES, this.#wanted);
    this.#frame = new Uint8Array();
    this.#length = 0;
    this.#wanted = PREFIX_BYTES;
    return message;
  }
}

/** How much of a foreign body is kept; characters. */
const BODY_START_LENGTH = 64;

/** The beginning of a body that is not gRPC, as one printable line of at most 64 characters. */
export function bodyStart(bytes: Uint8Array): string {
  const text = new TextDecoder().decode(bytes.subarray(0, 4 * BODY_START_LENGTH));
  return text
    .replaceAll(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, BODY_START_LENGTH);
}

/**
 * The declared size of a first message, where its four bytes are printable: text was sent, and other
 * clients report `larger than max (1752460652 vs 4194304)` for what is really "html".
 */
export function decodedSize(bytes: Uint8Array): string | undefined {
  const size = bytes.subarray(1, PREFIX_BYTES);
  const isPrintable =
    size.length === PREFIX_BYTES - 1 && size.every((byte) => byte > 0x20 && byte < 0x7f);
  return isPrintable ? String.fromCharCode(...size) : undefined;
}
