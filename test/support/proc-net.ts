/** One row of /proc/net/tcp as the kernel prints it; addresses as people write them. */
export interface RowText {
  /** `127.0.0.1:50051` or `[::1]:50051`. */
  readonly local?: string;
  readonly remote?: string;
  /** Hexadecimal, as printed: `0A` listens. */
  readonly state?: string;
  readonly sendQueue?: number;
  readonly receiveQueue?: number;
  readonly timer?: string;
  readonly retransmits?: number;
  readonly inode?: number;
  /** What stands after the inode. */
  readonly tail?: string;
}

export const HEADING =
  "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

/** The text of a table of IPv4 rows (or IPv6 ones); the wording of Linux net/ipv4/tcp_ipv4.c. */
export function tableText(rows: readonly RowText[]): string {
  return `${[HEADING, ...rows.map(rowText)].join("\n")}\n`;
}

export function rowText(row: RowText, index = 0): string {
  const {
    local = "10.1.0.5:40000",
    remote = "10.2.0.9:50051",
    state = "01",
    sendQueue = 0,
    receiveQueue = 0,
    timer = "00",
    retransmits = 0,
    inode = 4711,
    tail = "1 00000000b5d581cb 100 0 0 10 0",
  } = row;
  const [tx, rx, retries] = [sendQueue, receiveQueue, retransmits].map((one) => hex(one, 8));
  const head = `${String(index).padStart(4)}: ${socketText(local)} ${socketText(remote)} ${state}`;
  return `${head} ${tx}:${rx} ${timer}:00000000 ${retries}     0        0 ${inode} ${tail}`;
}

function socketText(socket: string): string {
  const colon = socket.lastIndexOf(":");
  const address = socket.slice(0, colon).replace(/^\[|\]$/g, "");
  return `${addressHex(address)}:${hex(Number(socket.slice(colon + 1)), 4)}`;
}

/** Words in little-endian order; an IPv6 address is given with all its groups, or as a mapped one. */
export function addressHex(address: string): string {
  const mapped = /^::ffff:(\d.*)$/.exec(address)?.[1];
  if (mapped !== undefined) return `0000000000000000FFFF0000${addressHex(mapped)}`;
  if (!address.includes(":")) {
    return swapped(Buffer.from(address.split(".").map(Number)));
  }
  const [head = "", tail = ""] = address.split("::");
  const before = head.split(":").filter((group) => group !== "");
  const after = tail.split(":").filter((group) => group !== "");
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  const groups = [...before, ...zeros, ...after].map((group) => group.padStart(4, "0"));
  return swapped(Buffer.from(groups.join(""), "hex"));
}

function swapped(bytes: Buffer): string {
  return bytes.swap32().toString("hex").toUpperCase();
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}
