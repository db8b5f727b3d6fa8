import { SocketAddress } from "node:net";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { Instant } from "../model/time.ts";
import type { Address } from "./gen/grpc/channelz/v1/channelz_pb.js";

/** The last instant of ECMAScript; what is beyond no document can show. */
const MAX_INSTANT = 8_640_000_000_000_000;

/** Narrows a counter or an id to a number: never negative, at most 2^53 − 1. */
export function narrowed(value: bigint | undefined): number {
  if (value === undefined || value < 0n) return 0;
  return value > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(value);
}

/** "Never" is unset, the year 1 or the year 1970, as the implementation likes: all are absent here. */
export function instantOf(timestamp: Timestamp | undefined): Instant | undefined {
  if (timestamp === undefined || timestamp.seconds <= 0n) return undefined;
  const instant = Number(timestamp.seconds) * 1000 + Math.floor(timestamp.nanos / 1_000_000);
  return instant > MAX_INSTANT ? undefined : instant;
}

/** One end of a connection: an IP with its port, or something else by its name. */
export interface SocketEnd {
  /** IPv4 where it is mapped into IPv6; `unix:path`; "" = not told. */
  readonly host: string;
  readonly port?: number;
}

export function socketEnd(address: Address | undefined): SocketEnd | undefined {
  const kind = address?.address;
  switch (kind?.case) {
    case "tcpipAddress": {
      const host = ipText(kind.value.ipAddress);
      const { port } = kind.value;
      if (host === undefined) return undefined;
      return port >= 0 && port <= 65_535 ? { host, port } : { host };
    }
    case "udsAddress":
      return { host: `unix:${kind.value.filename}` };
    case "otherAddress":
      return { host: kind.value.name };
    default:
      return undefined;
  }
}

/** RFC 5952's text of an IPv6 address, an IPv4-mapped one as IPv4; `undefined` for other lengths. */
function ipText(bytes: Uint8Array): string | undefined {
  if (bytes.length === 4) return bytes.join(".");
  if (bytes.length !== 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, 16);
  const groups = Array.from({ length: 8 }, (_, index) => view.getUint16(index * 2).toString(16));
  const isMapped = groups.slice(0, 6).join(":") === "0:0:0:0:0:ffff";
  if (isMapped) return bytes.slice(12).join(".");
  return new SocketAddress({ address: groups.join(":"), family: "ipv6" }).address;
}
