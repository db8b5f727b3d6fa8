import type { ChannelFacts, Implementation, ServerTotals, SocketFacts } from "../model/channelz.ts";
import type { Clock } from "../model/time.ts";
import { ChannelzReader } from "./channelz.ts";
import { readChannels } from "./channelz-channels.ts";
import { serverTotals } from "./channelz-facts.ts";
import { readServerSockets } from "./channelz-servers.ts";
import { dialectOf } from "./dialects/index.ts";
import type { Connection } from "./transport.ts";

/** All that channelz tells, for a person to look at: bounded, and dearer than a cycle of the agent. */
export interface ChannelzTree {
  readonly implementation: Implementation;
  readonly servers: readonly {
    readonly totals: ServerTotals;
    readonly sockets: readonly SocketFacts[];
    /** Sockets in all, those included that were not read; a lower bound where `truncated`. */
    readonly socketCount: number;
    readonly truncated: boolean;
  }[];
  readonly channels: readonly ChannelFacts[];
}

const MAX_SERVERS = 20;
const SOCKETS_PER_SERVER = 200;
const CHANNELS = { channels: 500, subchannels: 500, sockets: 500 } as const;

/** Reads the tree; throws the `CallError` of a list that the server does not give. */
export async function readChannelzTree(
  connection: Connection,
  options: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<ChannelzTree> {
  const reader = new ChannelzReader(connection, options);
  const { items } = await reader.servers(MAX_SERVERS);
  const { settings } = connection;
  const [server] = items;
  const dialect = dialectOf({ settings, ...(server && { server }) });

  const servers = [];
  for (const each of items) {
    const serverId = each.ref?.serverId ?? 0n;
    const wish = { serverId, budget: SOCKETS_PER_SERVER, suspects: [], resumeAfter: 0 };
    const { read, listed, truncated } = await readServerSockets(reader, dialect, wish);
    const totals = serverTotals(each, dialect);
    servers.push({ totals, sockets: read, socketCount: listed, truncated });
  }
  const channels = await readChannels(reader, dialect, CHANNELS);
  return { implementation: dialect.implementation, servers, channels };
}
