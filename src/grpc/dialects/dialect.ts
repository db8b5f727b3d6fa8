import type { Implementation } from "../../model/channelz.ts";
import type { Http2Settings } from "../../model/xray.ts";
import type { Server, SocketData } from "../gen/grpc/channelz/v1/channelz_pb.js";

/** What the peer lets the server's side of one connection send. */
export interface SendWindow {
  /** 0 = exhausted; absent = not told. */
  readonly canSendBytes?: number;
  /** The writer is stuck in a TCP write. */
  readonly writerBlocked?: boolean;
}

/** A host and port found in a socket's name. */
export interface NamedAddress {
  readonly host: string;
  readonly port: number;
}

/** The shapes by which an implementation is told; each part absent where it was not seen. */
export interface Evidence {
  readonly server?: Server;
  /** Text of an UNIMPLEMENTED status, as received or masked. */
  readonly unimplementedText?: string;
  readonly settings?: Http2Settings;
}

/**
 * What one gRPC implementation means by its channelz numbers and texts. All that differs between
 * implementations stands in these modules, and nowhere else.
 *
 * Source: gRFC A14 for what was meant; the modules say what is done.
 */
export interface Dialect {
  readonly implementation: Implementation;
  readonly tells: {
    /** The server object: names of its listen sockets, its trace. The strongest evidence. */
    server(server: Server): boolean;
    unimplemented(text: string): boolean;
    settings(settings: Http2Settings): boolean;
  };
  /** Where a listen socket listens, as its name says. */
  listenAddress(name: string): NamedAddress | undefined;
  /** The far end of a server's connection, as the socket's name says. */
  peerAddress(name: string): NamedAddress | undefined;
  sendWindow(data: SocketData): SendWindow;
  /** Keepalive pings; 0 where the number counts something else. */
  keepAlivesSent(data: SocketData): bigint;
  /** The address of a sub-channel, as the other implementations write it. */
  subchannelTarget(text: string): string;
  /** Client sockets forget streams that were cancelled: the sub-channel's calls are the truth. */
  readonly clientSocketsLeak: boolean;
  /** The error that a trace event tells; `undefined` where it tells none. */
  errorInTrace(description: string): string | undefined;
}

/** `ip:port`, `[ip]:port`; what Go and grpc-js name a listen socket. */
export function plainAddress(name: string): NamedAddress | undefined {
  const found = /^\[?([\da-fA-F.:]+?)(?:%[^\]:]*)?\]?:(\d{1,5})$/.exec(name);
  return found === null ? undefined : namedAddress(found[1], found[2]);
}

export function namedAddress(host: string | undefined, port: string | undefined) {
  const number = Number(port);
  return host === undefined || port === undefined || number > 65_535
    ? undefined
    : { host, port: number };
}

/** A window that is told and not negative. */
export function toldWindow(bytes: bigint | undefined): SendWindow {
  return bytes === undefined || bytes < 0n ? {} : { canSendBytes: Number(bytes) };
}
