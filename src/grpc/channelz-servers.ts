import type { SocketFacts } from "../model/channelz.ts";
import type { Endpoint } from "../model/target.ts";
import type { ChannelzReader, Listed } from "./channelz.ts";
import { CHANNELZ_WIDTH } from "./channelz-channels.ts";
import { socketFacts } from "./channelz-facts.ts";
import { concurrently } from "./concurrently.ts";
import type { Dialect } from "./dialects/dialect.ts";
import { dialectOf } from "./dialects/index.ts";
import type { Server, SocketRef } from "./gen/grpc/channelz/v1/channelz_pb.js";

/** References of sockets listed in one look; a server has more only in trouble. */
const MAX_LISTED = 2000;

/**
 * The server object that is the target: the one that listens on its port (or path). One process may
 * serve channelz for several servers; a lone one needs no proof, as it is the one that answers us.
 */
export function serverAt(endpoint: Endpoint, servers: readonly Server[]): Server | undefined {
  if (servers.length === 1) return servers[0];
  return servers.find((server) => {
    const dialect = dialectOf({ server });
    return server.listenSocket.some(({ name }) =>
      endpoint.kind === "unix"
        ? name.includes(endpoint.path)
        : dialect.listenAddress(name)?.port === endpoint.port,
    );
  });
}

export interface SocketWish {
  readonly serverId: bigint;
  /** GetSocket calls allowed. */
  readonly budget: number;
  /** Read first, whether listed or not. */
  readonly suspects: readonly number[];
  /** The rest in turn, after this id. */
  readonly resumeAfter: number;
}

export interface ServerSockets {
  /** Sockets listed in all; a lower bound where `truncated`. */
  readonly listed: number;
  readonly truncated: boolean;
  readonly read: readonly SocketFacts[];
  /** The last one that was read in its turn, and not as a suspect; absent = none was. */
  readonly lastInTurn?: number;
}

/** Lists a server's sockets and reads as many as the budget allows: suspects first, the rest in turn. */
export async function readServerSockets(
  reader: ChannelzReader,
  dialect: Dialect,
  wish: SocketWish,
): Promise<ServerSockets> {
  const { items, truncated } = await reader.serverSockets(wish.serverId, 0n, MAX_LISTED);
  const rest = await inTurn(reader, wish, { items, truncated });
  const suspects = wish.suspects.map(BigInt);
  const ids = [...new Set([...suspects, ...rest])].slice(0, wish.budget);
  const sockets = await concurrently(ids, CHANNELZ_WIDTH, (id) => reader.socket(id));
  const read = sockets.flatMap((socket) => (socket && socketFacts(socket, dialect)) ?? []);
  const last = ids.findLast((id) => !suspects.includes(id));
  return {
    listed: items.length,
    truncated,
    read,
    ...(last !== undefined && { lastInTurn: Number(last) }),
  };
}

/** Ids after `resumeAfter`, one page beyond where the list was cut, then from the first again. */
async function inTurn(
  reader: ChannelzReader,
  wish: SocketWish,
  { items, truncated }: Listed<SocketRef>,
): Promise<readonly bigint[]> {
  const ids = items.map(({ socketId }) => socketId);
  const resumeAfter = BigInt(wish.resumeAfter);
  const after = ids.filter((id) => id > resumeAfter);
  if (!truncated || after.length >= wish.budget) return [...after, ...ids];
  const last = ids.at(-1) ?? 0n;
  const start = (last > resumeAfter ? last : resumeAfter) + 1n;
  const beyond = await reader.serverSockets(wish.serverId, start, wish.budget);
  return [...after, ...beyond.items.map(({ socketId }) => socketId), ...ids];
}
