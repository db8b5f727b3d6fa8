import { cutText } from "../model/cut-text.ts";
import type { Channel, Server, Socket, Subchannel } from "./gen/grpc/channelz/v1/channelz_pb.js";

/** Longer than any name or event that an implementation writes; what a text is read for stands in it. */
const LONGEST_TEXT = 1_000;
const MOST_LISTEN_SOCKETS = 20;
/** The newest; implementations keep thirty or so. */
const MOST_EVENTS = 100;

/**
 * Objects of channelz as they came, but for what is too long to be looked at: dialects search in names and
 * traces, and a name may be 64 KiB long and a trace have a megabyte.
 */
export function trimmedServer(server: Server): Server {
  const listenSocket = server.listenSocket.slice(0, MOST_LISTEN_SOCKETS);
  return { ...server, listenSocket: listenSocket.map(named) };
}

export function trimmedSocket(socket: Socket): Socket {
  return socket.ref === undefined ? socket : { ...socket, ref: named(socket.ref) };
}

export function trimmedChannel<T extends Channel | Subchannel>(channel: T): T {
  const { data } = channel;
  if (data === undefined) return channel;
  const target = cut(data.target);
  if (data.trace === undefined) return { ...channel, data: { ...data, target } };
  const events = data.trace.events
    .slice(-MOST_EVENTS)
    .map((event) => ({ ...event, description: cut(event.description) }));
  return { ...channel, data: { ...data, target, trace: { ...data.trace, events } } };
}

function named<T extends { readonly name: string }>(one: T): T {
  return { ...one, name: cut(one.name) };
}

function cut(text: string): string {
  return cutText(text, LONGEST_TEXT);
}
