import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect } from "node:tls";
import type { Clock } from "../model/time.ts";
import type { SniffResult } from "../model/xray.ts";
import { abortable } from "./abortable.ts";
import { type DialAddress, dial } from "./dial.ts";

/** How long the peer may stay silent before it counts as mute; for each of the two questions. */
const SNIFF_TIMEOUT_MS = 1000;

/**
 * The line of a balancer's own connection, which tells of no client. Source: the PROXY protocol,
 * section 2.1 (`UNKNOWN`).
 */
const PROXY_LINE = Buffer.from("PROXY UNKNOWN\r\n", "latin1");

/** The client connection preface and an empty SETTINGS frame. Source: RFC 9113 section 3.4. */
const PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

const KEPT_OCTETS = 16;

export interface SniffOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Default 1 s. */
  readonly timeoutMs?: number;
  /** TLS is expected of the port. */
  readonly isTls?: boolean;
}

/**
 * Finds out what a port speaks, after the expected handshake has failed and only then: a healthy
 * server logs stray bytes.
 *
 * First the HTTP/2 preface: SETTINGS, HTTP/1, TLS and others answer each in their way. Silence proves
 * nothing: TLS servers, databases and proxies all close without a byte. So a silent peer is asked a
 * second time, with a ClientHello, and only TLS bytes then convict. One that closes is asked once
 * more, as `sniffClosed` has it.
 */
export async function sniff(address: DialAddress, options: SniffOptions): Promise<SniffResult> {
  const first = await ask(address, PREFACE, options);
  if (first.found !== "mute" && first.found !== "closed") return first;
  const second = await ask(address, await clientHello(), options);
  if (second.found === "tls") return second;
  const isClosed = first.found === "closed" && second.found === "closed";
  return isClosed ? sniffClosed(address, options) : first;
}

/**
 * Of a port that closes without a byte on both questions: whether it answers behind the line that
 * balancers send ahead of their clients' bytes.
 */
export async function sniffClosed(
  address: DialAddress,
  options: SniffOptions,
): Promise<SniffResult> {
  const question = options.isTls === true ? await clientHello() : PREFACE;
  const { found } = await ask(address, Buffer.concat([PROXY_LINE, question]), options);
  return { found: found === "h2c" || found === "tls" ? "proxy-header" : "closed" };
}

/**
 * A whole ClientHello, as this process would send it: a server of C-core closes without a word where it
 * cannot read one. Source: RFC 8446 section 4.1.2.
 */
function clientHello(): Promise<Uint8Array> {
  return new Promise((resolve) => {
    const wire = new Duplex({
      read: () => {},
      write: (chunk: Uint8Array, _encoding, done) => {
        resolve(chunk);
        done();
        queueMicrotask(() => client.destroy());
      },
    });
    const client = connect({ socket: wire, ALPNProtocols: ["h2"], rejectUnauthorized: false });
    client.on("error", () => {}); // it was never to become a connection
  });
}

const ALERT = 0x15;
const HANDSHAKE = 0x16;
const TLS_MAJOR = 3;
/** After a record's header of five octets: level, then the alert's number. */
const ALERT_NUMBER_AT = 6;
const HTTP1 = "HTTP/1.";

/** What the first bytes of an answer to the preface, or to a ClientHello, are. */
export function recognise(bytes: Uint8Array): SniffResult {
  const firstOctets = Buffer.from(bytes.subarray(0, KEPT_OCTETS)).toString("hex");
  const [type, major] = bytes;
  if ((type === ALERT || type === HANDSHAKE) && major === TLS_MAJOR) {
    const alert = type === ALERT ? bytes[ALERT_NUMBER_AT] : undefined;
    return { found: "tls", firstOctets, ...(alert === undefined ? {} : { alert }) };
  }
  if (Buffer.from(bytes.subarray(0, HTTP1.length)).toString("latin1") === HTTP1) {
    return { found: "http1", firstOctets };
  }
  return { found: isSettings(bytes) ? "h2c" : "other", firstOctets };
}

const FRAME_HEADER_BYTES = 9;
const FRAME_TYPE_AT = 3;
const STREAM_ID_AT = 5;
const SETTINGS_FRAME = 4;
const SETTING_BYTES = 6;

/** A SETTINGS frame on stream 0, of whole settings. Source: RFC 9113 section 6.5. */
function isSettings(bytes: Uint8Array): boolean {
  if (bytes.length < FRAME_HEADER_BYTES || bytes[FRAME_TYPE_AT] !== SETTINGS_FRAME) return false;
  const head = Buffer.from(bytes.subarray(0, FRAME_HEADER_BYTES));
  return head.readUIntBE(0, 3) % SETTING_BYTES === 0 && head.readUInt32BE(STREAM_ID_AT) === 0;
}

async function ask(
  address: DialAddress,
  question: Uint8Array,
  { clock, signal, timeoutMs = SNIFF_TIMEOUT_MS }: SniffOptions,
): Promise<SniffResult> {
  const { socket } = await dial(address, { clock, signal });
  // It took a connection a moment ago: that it does not now says nothing about its protocol.
  if (socket === undefined) return { found: "closed" };
  try {
    socket.write(question);
    const answer = await firstBytes(socket, clock.deadline(timeoutMs, signal));
    signal.throwIfAborted();
    return typeof answer === "string" ? { found: answer } : recognise(answer);
  } finally {
    hangUp(socket, clock);
  }
}

/** How long a peer has for its own FIN. */
const LINGER_MS = 1000;

/** Closes with FIN, not RST, which would be one more line in the server's log; for a second at most. */
export function hangUp(socket: Socket, clock: Clock): void {
  const linger = clock.deadline(LINGER_MS);
  const destroy = (): void => void socket.destroy();
  linger.addEventListener("abort", destroy, { once: true });
  socket.once("close", () => linger.removeEventListener("abort", destroy));
  socket.resume();
  socket.end();
}

/**
 * Enough bytes to recognise a frame. Fewer are taken at their word, unless they may be the beginning of
 * SETTINGS or of a record of TLS: a peer that is slow or stands still in the middle has said nothing yet.
 */
async function firstBytes(
  socket: Socket,
  deadline: AbortSignal,
): Promise<Uint8Array | "mute" | "closed"> {
  let heard: Uint8Array = new Uint8Array();
  const ended = await abortable<"enough" | "closed">(deadline, (resolve) => {
    socket.on("data", (chunk: Uint8Array) => {
      heard = Buffer.concat([heard, chunk]).subarray(0, KEPT_OCTETS);
      if (heard.length >= FRAME_HEADER_BYTES) resolve("enough");
    });
    socket.once("end", () => resolve("closed"));
    socket.once("close", () => resolve("closed"));
  }).catch(() => "mute" as const);
  return ended === "enough" || !mayBecomeKnown(heard) ? heard : ended;
}

/** The first frame of a server holds at most 16 KiB. Source: RFC 9113 section 4.2. */
const MOST_FIRST_FRAME = 16_384;

/** Too few bytes to tell, of a frame of SETTINGS or a record of TLS; none at all are too few as well. */
function mayBecomeKnown(bytes: Uint8Array): boolean {
  const [first] = bytes;
  if (bytes.length < 2 && (first === ALERT || first === HANDSHAKE)) return true;
  const head = Buffer.alloc(FRAME_HEADER_BYTES);
  head[FRAME_TYPE_AT] = SETTINGS_FRAME;
  head.set(bytes);
  const length = head.readUIntBE(0, 3);
  const isPossible =
    length <= MOST_FIRST_FRAME && (bytes.length < 3 || length % SETTING_BYTES === 0);
  return (
    isPossible && head[FRAME_TYPE_AT] === SETTINGS_FRAME && head.readUInt32BE(STREAM_ID_AT) === 0
  );
}
