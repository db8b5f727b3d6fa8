import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  GetServerSocketsRequestSchema,
  GetServerSocketsResponseSchema,
  GetServersResponseSchema,
  GetSocketRequestSchema,
  GetSocketResponseSchema,
  GetTopChannelsRequestSchema,
  GetTopChannelsResponseSchema,
} from "../../../src/grpc/gen/grpc/channelz/v1/channelz_pb.js";
import { answers, type Handler } from "../faulty-server.ts";

const PREFIX_BYTES = 5;

export const channelzPath = (method: string) => `/grpc.channelz.v1.Channelz/${method}`;

export interface VastOptions {
  readonly sockets: number;
  readonly channels: number;
  /** Of each channel; default none. */
  readonly trace?: readonly string[];
}

/** A lawful channelz of a server that is far too large: pages begin and end where they are asked to. */
export function vastChannelz(options: VastOptions): Readonly<Record<string, Handler>> {
  const { sockets, channels, trace = [] } = options;
  const data = { trace: { events: trace.map((description) => ({ description, severity: 3 })) } };
  return {
    [channelzPath("GetServers")]: says(GetServersResponseSchema, {
      server: [{ ref: { serverId: 1n }, data: {} }],
      end: true,
    }),
    [channelzPath("GetServerSockets")]: hearing(GetServerSocketsRequestSchema, (request) => {
      const { ids, end } = page(sockets, request.startSocketId, request.maxResults);
      const socketRef = ids.map((socketId) => ({ socketId, name: `socket ${socketId}` }));
      return says(GetServerSocketsResponseSchema, { socketRef, end });
    }),
    [channelzPath("GetSocket")]: hearing(GetSocketRequestSchema, ({ socketId }) =>
      says(GetSocketResponseSchema, {
        socket: { ref: { socketId }, data: { streamsStarted: socketId } },
      }),
    ),
    [channelzPath("GetTopChannels")]: hearing(GetTopChannelsRequestSchema, (request) => {
      const { ids, end } = page(channels, request.startChannelId, request.maxResults);
      const channel = ids.map((channelId) => ({
        ref: { channelId },
        data: { ...data, target: `dns:///upstream-${channelId % 100n}.shop.svc:443` },
      }));
      return says(GetTopChannelsResponseSchema, { channel, end });
    }),
  };
}

/** Answers with this message. */
export function says<S extends DescMessage>(schema: S, init: MessageInitShape<S>): Handler {
  return answers.messages(toBinary(schema, create(schema, init)));
}

/** Reads the one message of the request first. */
function hearing<S extends DescMessage>(
  schema: S,
  answer: (request: MessageShape<S>) => Handler,
): Handler {
  return (stream, headers) => {
    const heard: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => heard.push(chunk));
    stream.once("end", () => {
      const request = fromBinary(schema, Buffer.concat(heard).subarray(PREFIX_BYTES));
      answer(request)(stream, headers);
    });
  };
}

/** Of ids from 1 to `count`, those from `start` on, as many as are asked for. */
function page(count: number, start: bigint, most: bigint) {
  const first = Math.max(1, Number(start));
  const last = Math.min(count, first + Number(most) - 1);
  const ids = Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => BigInt(first + at));
  return { ids, end: last >= count };
}
