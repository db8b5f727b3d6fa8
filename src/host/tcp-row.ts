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

/** What the kernel prints in hexadecimal has 32 bits; of inodes there may be more. */
const HEX = "[0-9A-Fa-f]{1,8}";
const PLACE = `([0-9A-Fa-f]{8}|[0-9A-Fa-f]{32}):(${HEX})`;
const INODE = "(\\d{1,15})(?!\\d)";
/**
 * Number, both places, state, queues, timer and when it expires, retransmits, user, probes without answer,
 * inode; then references, the socket's address and its retransmission time. An expression of V8 is machine
 * code without its compilers too, where a loop over the digits takes four times as long.
 */
const ROW = new RegExp(
  `^ *\\d+: *${PLACE} +${PLACE} +(${HEX}) +(${HEX}):(${HEX}) +(${HEX}):${HEX} +(${HEX}) +\\d+ +\\d+ +${INODE}(?: +\\d+ +[^ ]+ +(\\d+))?`,
);

/** Reads one line, `[start, end)` without the line break; `undefined` for the heading and for junk. */
export function parseTcpRow(bytes: Buffer, start: number, end: number): TcpRow | undefined {
  const fields = ROW.exec(bytes.toString("latin1", start, end));
  if (fields === null) return undefined;
  const [, local = "", localPort, remote = "", remotePort, ...numbers] = fields;
  const [stateText, sendQueue, receiveQueue, timer, retransmits, inode, timing] = numbers;
  const state = hex(stateText);
  return {
    local: unmapped(local),
    localPort: hex(localPort),
    remote: unmapped(remote),
    remotePort: hex(remotePort),
    state,
    sendQueue: hex(sendQueue),
    receiveQueue: hex(receiveQueue),
    timer: hex(timer),
    retransmits: hex(retransmits),
    inode: Number(inode),
    hasTiming: state === TCP_STATE.listen && Number(timing) > 0,
  };
}

function hex(text = ""): number {
  return Number.parseInt(text, 16);
}

function unmapped(address: string): HexAddress {
  return address.startsWith(MAPPED) ? address.slice(MAPPED.length) : address;
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
