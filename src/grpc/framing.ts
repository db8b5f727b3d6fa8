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

/**
 * Cuts a body into messages, over whatever chunks it comes in.
 *
 * A length is checked before anything is kept for it, so a peer can make us hold one message of the
 * greatest size and one chunk, no more. A compressed message is refused: we never offer an encoding.
 */
export class MessageReader {
  readonly #maxBytes: number;
  #chunks: Uint8Array[] = [];
  #length = 0;
  /** Bytes of the whole frame at the front; until its prefix is there, those of the prefix. */
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
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    while (this.#length >= this.#wanted) {
      if (this.#wanted === PREFIX_BYTES) {
        const size = this.#readPrefix();
        this.#wanted = PREFIX_BYTES + size;
        if (size > 0) continue;
      }
      yield this.#take(this.#wanted).subarray(PREFIX_BYTES);
      this.#wanted = PREFIX_BYTES;
    }
  }

  #readPrefix(): number {
    const prefix = this.#joined();
    const size = new DataView(prefix.buffer, prefix.byteOffset).getUint32(1);
    const flag = prefix[0] ?? 0;
    if (flag > 1) throw new CallError({ phase: "rpc", reason: "not_grpc" });
    if (size > this.#maxBytes) {
      throw new CallError({ phase: "rpc", reason: "message_too_large" });
    }
    if (flag === 1) throw new CallError({ phase: "rpc", reason: "malformed_reply" });
    return size;
  }

  #joined(): Uint8Array {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const joined = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      joined.set(chunk, at);
      at += chunk.length;
    }
    this.#chunks = [joined];
    return joined;
  }

  #take(bytes: number): Uint8Array {
    const all = this.#joined();
    this.#length = all.length - bytes;
    this.#chunks = this.#length === 0 ? [] : [all.subarray(bytes)];
    return all.subarray(0, bytes);
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
