/** States of a row. Source: Linux include/net/tcp_states.h. */
export const TCP_STATE = {
  established: 0x01,
  synSent: 0x02,
  synReceived: 0x03,
  timeWait: 0x06,
  closeWait: 0x08,
  listen: 0x0a,
} as const;

/** The timer that a row waits for. Source: Linux net/ipv4/tcp_ipv4.c, get_tcp4_sock. */
export const TCP_TIMER = { retransmit: 1, zeroWindowProbe: 4 } as const;

/**
 * One row of /proc/net/tcp or tcp6. Addresses stay the kernel's hexadecimal text (`HexAddress`) until
 * somebody wants to read them, as most rows are only counted.
 */
export interface TcpRow {
  readonly local: HexAddress;
  readonly localPort: number;
  readonly remote: HexAddress;
  readonly remotePort: number;
  readonly state: number;
  readonly sendQueue: number;
  /** Bytes to read; of a LISTEN row the connections that wait to be accepted. */
  readonly receiveQueue: number;
  readonly timer: number;
  readonly retransmits: number;
  /** 0 = no process has it: not accepted yet, or already closed by its process. */
  readonly inode: number;
  /**
   * Only a LISTEN row is asked: false where the kernel fills in no timing, which is where it fills in
   * no queue either (sandboxed runtimes). Linux starts every socket with a retransmission time of 1 s.
   */
  readonly hasTiming: boolean;
}

/** 8 or 32 hexadecimal digits: words in the machine's order. A v4-mapped address is its 8 digits. */
export type HexAddress = string;

const MAPPED = "0000000000000000FFFF0000";
const LOOPBACK_6 = "00000000000000000000000001000000";
const SPACE = 0x20;
const COLON = 0x3a;

/** Where a row is read, and how far the reading has come. */
interface Cursor {
  readonly bytes: Uint8Array;
  at: number;
  readonly end: number;
}

/** Reads one line, `[start, end)` without the line break; `undefined` for the heading and for junk. */
export function parseTcpRow(bytes: Buffer, start: number, end: number): TcpRow | undefined {
  const cursor = { bytes, at: start, end };
  const number = takeNumber(cursor, 10);
  if (number < 0 || !takeColon(cursor)) return undefined;
  const local = takeAddress(bytes, cursor);
  const localPort = takeNumber(cursor, 16);
  const remote = takeAddress(bytes, cursor);
  const remotePort = takeNumber(cursor, 16);
  const state = takeNumber(cursor, 16);
  const sendQueue = takeNumber(cursor, 16);
  const hasQueues = takeColon(cursor);
  const receiveQueue = takeNumber(cursor, 16);
  const timer = takeNumber(cursor, 16);
  const hasTimer = takeColon(cursor);
  takeNumber(cursor, 16); // when the timer expires
  const retransmits = takeNumber(cursor, 16);
  takeNumber(cursor, 10); // user
  takeNumber(cursor, 10); // probes without answer
  const inode = takeNumber(cursor, 10);
  if (local === undefined || remote === undefined || !hasQueues || !hasTimer) return undefined;
  const numbers = [
    localPort,
    remotePort,
    state,
    sendQueue,
    receiveQueue,
    timer,
    retransmits,
    inode,
  ];
  if (numbers.some((value) => value < 0)) return undefined;
  const hasTiming = state === TCP_STATE.listen && takeTiming(cursor);
  return {
    local,
    localPort,
    remote,
    remotePort,
    state,
    sendQueue,
    receiveQueue,
    timer,
    retransmits,
    inode,
    hasTiming,
  };
}

/** 127.0.0.0/8 or ::1. */
export function isLoopback(address: HexAddress): boolean {
  return address.length === 8 ? address.endsWith("7F") : address === LOOPBACK_6;
}

/** The address as people write it: dotted, or RFC 5952. */
export function addressText(address: HexAddress): string {
  const bytes = bytesOf(address);
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0)).toString(16),
  );
  return shortest(groups.join(":"));
}

/** An address as a resolver or a configuration writes it, in the form of `addressText`. */
export function canonicalAddress(text: string): string {
  if (!text.includes(":")) return text;
  const [plain = ""] = text.split("%", 1);
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(plain);
  return mapped?.[1] ?? shortest(plain);
}

/** RFC 5952 form, which is how a URL serialises its host; what is no address stays as it is. */
function shortest(address: string): string {
  const url = `http://[${address}]/`;
  return URL.canParse(url) ? new URL(url).hostname.slice(1, -1) : address;
}

/** Network order: the kernel prints each 32-bit word as a little-endian number. */
function bytesOf(address: HexAddress): readonly number[] {
  return [...Buffer.from(address, "hex").swap32()];
}

function takeAddress(bytes: Buffer, cursor: Cursor): HexAddress | undefined {
  skipSpaces(cursor);
  const start = cursor.at;
  while (cursor.at < cursor.end && digitOf(bytes[cursor.at] ?? SPACE) >= 0) cursor.at += 1;
  const length = cursor.at - start;
  if (!takeColon(cursor) || (length !== 8 && length !== 32)) return undefined;
  const address = bytes.toString("latin1", start, start + length);
  return length === 32 && address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
}

/** After the inode: references, the socket's address, then its retransmission time. */
function takeTiming(cursor: Cursor): boolean {
  takeNumber(cursor, 10);
  skipSpaces(cursor);
  while (cursor.at < cursor.end && cursor.bytes[cursor.at] !== SPACE) cursor.at += 1;
  return takeNumber(cursor, 10) > 0;
}

/** What the kernel prints in hexadecimal has 32 bits; of inodes there may be more. */
const GREATEST = { 10: Number.MAX_SAFE_INTEGER, 16: 0xffff_ffff } as const;

/** The digits after white space; -1 where there are none, or more than the kernel prints. */
function takeNumber(cursor: Cursor, base: 10 | 16): number {
  skipSpaces(cursor);
  let value = -1;
  for (; cursor.at < cursor.end; cursor.at += 1) {
    const digit = digitOf(cursor.bytes[cursor.at] ?? SPACE);
    if (digit < 0 || digit >= base) break;
    value = Math.max(value, 0) * base + digit;
  }
  return value <= GREATEST[base] ? value : -1;
}

function takeColon(cursor: Cursor): boolean {
  if (cursor.at >= cursor.end || cursor.bytes[cursor.at] !== COLON) return false;
  cursor.at += 1;
  return true;
}

function skipSpaces(cursor: Cursor): void {
  while (cursor.at < cursor.end && cursor.bytes[cursor.at] === SPACE) cursor.at += 1;
}

function digitOf(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const letter = byte | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : -1;
}
