import type { DescMessage, DescMethodUnary, MessageInitShape } from "@bufbuild/protobuf";
import type { Clock } from "../model/time.ts";
import { CallError } from "./call-error.ts";
import { trimmedChannel, trimmedServer, trimmedSocket } from "./channelz-trim.ts";
import {
  type Channel,
  Channelz,
  type Server,
  type Socket,
  type SocketRef,
  type Subchannel,
} from "./gen/grpc/channelz/v1/channelz_pb.js";
import type { Connection } from "./transport.ts";
import { callUnary } from "./typed-call.ts";

/** How a server comes to serve it, in the languages whose servers can. */
export const SERVE_CHANNELZ =
  "Add the channelz service to the server: Go `RegisterChannelzServiceToServer`, Java `ChannelzService`, Python `add_channelz_servicer`, Node `addAdminServicesToServer`.";

/** A list that ended, or was cut at our bound. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly truncated: boolean;
}

/** A stuck writer or a wedged event loop must not hold up the cycle. */
const CALL_TIMEOUT_MS = 1500;
/**
 * grpc-js and Go honour it, Java and C-core have a size of their own; 0 and −1 mean too many things. A
 * reference is two fields, a channel with thirty events of trace 260: a page is decoded at one go.
 */
const PAGE_SIZE = { references: 500, objects: 50 } as const;
/** Pages of one list: a server that ignores our size gives fewer. */
const MAX_PAGES = 20;

/**
 * Reads channelz over one connection; each call within 1.5 s and the signal. Lists throw the `CallError`
 * of their call. An object by id is `undefined` where the server does not give it: it has gone since it
 * was listed, which is normal, or it did not answer in time.
 *
 * Source: gRFC A14, grpc-proto grpc/channelz/v1/channelz.proto.
 */
export class ChannelzReader {
  readonly #connection: Connection;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;

  constructor(connection: Connection, { clock, signal }: { clock: Clock; signal: AbortSignal }) {
    this.#connection = connection;
    this.#clock = clock;
    this.#signal = signal;
  }

  servers(bound: number): Promise<Listed<Server>> {
    const page = async (startServerId: bigint, maxResults: bigint) => {
      const answer = await this.#ask(Channelz.method.getServers, { startServerId, maxResults });
      return { items: answer.server.map(trimmedServer), end: answer.end };
    };
    return listed({ page, id: ({ ref }) => ref?.serverId, from: 0n, of: "objects", bound });
  }

  /** References from `from` (inclusive) on. */
  serverSockets(serverId: bigint, from: bigint, bound: number): Promise<Listed<SocketRef>> {
    const page = async (startSocketId: bigint, maxResults: bigint) => {
      const request = { serverId, startSocketId, maxResults };
      const answer = await this.#ask(Channelz.method.getServerSockets, request);
      return { items: answer.socketRef, end: answer.end };
    };
    return listed({ page, id: ({ socketId }) => socketId, from, of: "references", bound });
  }

  topChannels(bound: number): Promise<Listed<Channel>> {
    const page = async (startChannelId: bigint, maxResults: bigint) => {
      const answer = await this.#ask(Channelz.method.getTopChannels, {
        startChannelId,
        maxResults,
      });
      return { items: answer.channel.map(trimmedChannel), end: answer.end };
    };
    return listed({ page, id: ({ ref }) => ref?.channelId, from: 0n, of: "objects", bound });
  }

  async socket(socketId: bigint): Promise<Socket | undefined> {
    const answer = await this.#find(Channelz.method.getSocket, { socketId });
    return answer?.socket && trimmedSocket(answer.socket);
  }

  async channel(channelId: bigint): Promise<Channel | undefined> {
    const answer = await this.#find(Channelz.method.getChannel, { channelId });
    return answer?.channel && trimmedChannel(answer.channel);
  }

  async subchannel(subchannelId: bigint): Promise<Subchannel | undefined> {
    const answer = await this.#find(Channelz.method.getSubchannel, { subchannelId });
    return answer?.subchannel && trimmedChannel(answer.subchannel);
  }

  #ask<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ) {
    const signal = this.#clock.deadline(CALL_TIMEOUT_MS, this.#signal);
    return callUnary(this.#connection, method, { request, signal, timeoutMs: CALL_TIMEOUT_MS });
  }

  async #find<I extends DescMessage, O extends DescMessage>(
    method: DescMethodUnary<I, O>,
    request: MessageInitShape<I>,
  ) {
    try {
      return await this.#ask(method, request);
    } catch (thrown) {
      const isOver = this.#signal.aborted || !this.#connection.isOpen;
      if (isOver || !(thrown instanceof CallError)) throw thrown;
      // NOT_FOUND; UNKNOWN where Java trips over a closing transport; no answer in time.
      return undefined;
    }
  }
}

interface Paging<T> {
  readonly page: (
    start: bigint,
    maxResults: bigint,
  ) => Promise<{ readonly items: readonly T[]; readonly end: boolean }>;
  readonly id: (item: T) => bigint | undefined;
  readonly from: bigint;
  readonly of: keyof typeof PAGE_SIZE;
  readonly bound: number;
}

/** Pages must advance: grpc-js answers some requests with an empty page that says it is not the last. */
async function listed<T>({ page, id, from, of, bound }: Paging<T>): Promise<Listed<T>> {
  const items: T[] = [];
  let start = from;
  for (let pages = 0; pages < MAX_PAGES && items.length < bound; pages++) {
    const size = Math.min(PAGE_SIZE[of], bound - items.length);
    const answer = await page(start, BigInt(size));
    items.push(...answer.items.slice(0, bound - items.length));
    const isCut = answer.items.length > size && items.length >= bound;
    if (answer.end) return { items, truncated: isCut };

    const last = answer.items.at(-1);
    const lastId = last && id(last);
    if (lastId === undefined || lastId < start) return { items, truncated: false };
    start = lastId + 1n;
  }
  return { items, truncated: true };
}
