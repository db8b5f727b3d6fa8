import type { ChannelFacts, ChannelState, SubchannelFacts } from "../model/channelz.ts";
import type { ChannelzReader } from "./channelz.ts";
import { channelFacts, channelState, subchannelFacts } from "./channelz-facts.ts";
import { concurrently } from "./concurrently.ts";
import type { Dialect } from "./dialects/dialect.ts";
import type { Channel, Socket, Subchannel } from "./gen/grpc/channelz/v1/channelz_pb.js";

/** How much one look at the app's own channels may ask. */
export interface ChannelBudget {
  readonly channels: number;
  /** GetChannel and GetSubchannel calls. */
  readonly subchannels: number;
  /** GetSocket calls for their connections. */
  readonly sockets: number;
}

/** Calls at a time; each of them costs the app a lock and us a decode. */
export const CHANNELZ_WIDTH = 4;

/** What is read first where the budget does not reach: the sick before the busy before the idle. */
const URGENCY: readonly ChannelState[] = [
  "TRANSIENT_FAILURE",
  "CONNECTING",
  "READY",
  "UNKNOWN",
  "IDLE",
  "SHUTDOWN",
];

/**
 * The app's own channels with their sub-channels and the far ends of these. Sub-channels are shared
 * between channels (C-core, grpc-js), so each is read once; one level of nested channels (a balancer's)
 * is looked through. What the budget does not reach is left out.
 */
export async function readChannels(
  reader: ChannelzReader,
  dialect: Dialect,
  budget: ChannelBudget,
): Promise<readonly ChannelFacts[]> {
  const { items } = await reader.topChannels(budget.channels);
  const urgentFirst = items.toSorted((a, b) => urgency(a) - urgency(b));

  const nested = urgentFirst.flatMap(({ channelRef }) => channelRef.map((ref) => ref.channelId));
  const children = new Map<bigint, Channel>();
  const nestedIds = [...new Set(nested)].slice(0, Math.floor(budget.subchannels / 2));
  await concurrently(nestedIds, CHANNELZ_WIDTH, async (id) => {
    const child = await reader.channel(id);
    if (child !== undefined) children.set(id, child);
  });

  const idsOf = (channel: Channel): readonly bigint[] => {
    const below = channel.channelRef.flatMap((ref) => children.get(ref.channelId) ?? []);
    const refs = [channel, ...below].flatMap(({ subchannelRef }) => subchannelRef);
    return refs.map((ref) => ref.subchannelId);
  };
  const wanted = [...new Set(urgentFirst.flatMap(idsOf))];
  const ids = wanted.slice(0, budget.subchannels - nestedIds.length);
  const subchannels = await readSubchannels(reader, dialect, { ids, sockets: budget.sockets });

  return items.map((channel) => {
    const own = [...new Set(idsOf(channel))].flatMap((id) => subchannels.get(id) ?? []);
    return channelFacts(channel, dialect, own);
  });
}

async function readSubchannels(
  reader: ChannelzReader,
  dialect: Dialect,
  { ids, sockets }: { readonly ids: readonly bigint[]; readonly sockets: number },
): Promise<ReadonlyMap<bigint, SubchannelFacts>> {
  const found = await concurrently(ids, CHANNELZ_WIDTH, (id) => reader.subchannel(id));
  const socketIds = found
    .filter((each): each is Subchannel => each !== undefined)
    .flatMap(({ socketRef }) => socketRef.map((ref) => ref.socketId))
    .slice(0, sockets);
  const read = new Map<bigint, Socket>();
  await concurrently(socketIds, CHANNELZ_WIDTH, async (id) => {
    const socket = await reader.socket(id);
    if (socket !== undefined) read.set(id, socket);
  });

  const facts = new Map<bigint, SubchannelFacts>();
  for (const [index, subchannel] of found.entries()) {
    const id = ids[index];
    if (subchannel === undefined || id === undefined) continue;
    const own = subchannel.socketRef.flatMap((ref) => read.get(ref.socketId) ?? []);
    facts.set(id, subchannelFacts(subchannel, dialect, own));
  }
  return facts;
}

function urgency({ data }: Channel): number {
  return URGENCY.indexOf(channelState(data));
}
