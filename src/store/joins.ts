import type { ChannelGroup, Channels, ChannelsPoll } from "../model/facts/channels.ts";
import type { FactName, Facts } from "../model/facts/index.ts";
import type { Peer, Peers } from "../model/facts/peers.ts";
import type { UpstreamCalls } from "../model/facts/upstream-calls.ts";
import type { RemoteRows } from "../model/socket-rows.ts";
import type { SourceName } from "../model/source-name.ts";
import type { Target } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import { upstreamName } from "../model/upstream-name.ts";
import { pushed } from "./ring.ts";

const MOST_PEERS = 200;
const MOST_POLLS = 70;

/** The facts of one target that are young enough to be used. */
export interface FreshFacts {
  readonly name: string;
  fact<K extends FactName>(name: K): Facts[K] | undefined;
}

interface JoinContext {
  readonly at: Instant;
  readonly upstream: Target;
  /** The upstream's own facts. */
  readonly own: FreshFacts;
  /** The app's, if its channels are known. */
  readonly app: FreshFacts | undefined;
}

/** What two targets know together, as a fact of the upstream. */
interface JoinDeclaration<K extends FactName> {
  readonly fact: K;
  /** Facts of the upstream and of the app; as young as the youngest of them that holds. */
  readonly own: readonly FactName[];
  readonly apps: readonly FactName[];
  /** Whose missing capability makes it unavailable, and on which side. */
  readonly source: { readonly of: "own" | "app"; readonly name: SourceName };
  readonly bound: string;
  join(previous: Facts[K] | undefined, context: JoinContext): Facts[K] | undefined;
}

export type Join = { readonly [K in "peers" | "upstreamCalls"]: JoinDeclaration<K> }[
  | "peers"
  | "upstreamCalls"];

const peersJoin: JoinDeclaration<"peers"> = {
  fact: "peers",
  own: ["outbound"],
  apps: ["channels"],
  source: { of: "own", name: "kernel" },
  bound: "200 addresses",

  join(previous, context) {
    const read = context.own.fact("outbound")?.reads.at(-1);
    const byChannels = peersOfChannels(context);
    if (read === undefined && byChannels === undefined) return undefined;
    const all = (read === undefined ? (byChannels ?? []) : withRows(byChannels ?? [], read))
      .toSorted((a, b) => b.connections - a.connections)
      .slice(0, MOST_PEERS);
    const only = onlyPeer(previous, all, context.at);
    return { peers: all, ...(only === undefined ? {} : { only }) };
  },
};

/** The kernel counts connections better, the channels know what goes over them. */
function withRows(
  byChannels: readonly Peer[],
  read: { readonly at: Instant; readonly remotes: readonly RemoteRows[] },
): readonly Peer[] {
  const peers = new Map(byChannels.map((peer) => [peer.address, peer]));
  for (const { address, established, synSent, synRetransmits } of read.remotes) {
    if (established === 0 && synSent === 0) continue;
    const seen: Omit<Peer, "connections"> = peers.get(address) ?? { address, seenBy: "kernel" };
    peers.set(address, {
      ...seen,
      connections: established,
      seenAt: Math.max(read.at, seen.seenAt ?? read.at),
      ...(synSent === 0 ? {} : { failing: { by: "kernel", retransmits: synRetransmits } }),
    });
  }
  return [...peers.values()];
}

function peersOfChannels(context: JoinContext): readonly Peer[] | undefined {
  const named = namedGroup(context);
  if (named === undefined) return undefined;
  const { name, at, group, polls } = named;
  const before = (polls.at(-3) ?? polls.at(-2))?.upstreams[name]?.remotes;
  return Object.entries(group.remotes).map(([address, remote]): Peer => {
    const { started } = before?.[address] ?? { started: 0 };
    return {
      address,
      connections: remote.connections,
      seenBy: "channelz-client",
      seenAt: at,
      ...(polls.length < 2 ? {} : { newStreams: Math.max(0, remote.started - started) }),
      ...(remote.failing ? { failing: { by: "channelz-client" } } : {}),
    };
  });
}

function onlyPeer(previous: Peers | undefined, peers: readonly Peer[], at: Instant): Peers["only"] {
  const [first, second] = peers.filter((peer) => peer.connections > 0);
  if (first === undefined || second !== undefined) return undefined;
  const isSame = previous?.only?.address === first.address;
  return isSame ? previous?.only : { address: first.address, since: at };
}

const upstreamCallsJoin: JoinDeclaration<"upstreamCalls"> = {
  fact: "upstreamCalls",
  own: [],
  apps: ["channels"],
  source: { of: "app", name: "channelz" },
  bound: "70 polls",

  join(previous, context) {
    const named = namedGroup(context);
    if (named === undefined) return undefined;
    const poll = { at: named.at, ...named.group };
    if (previous === undefined || !follows(previous, named.from, poll)) {
      return { from: named.from, polls: [poll] };
    }
    const isSame = previous.polls.at(-1)?.at === poll.at;
    return isSame ? previous : { ...previous, polls: pushed(previous.polls, poll, MOST_POLLS) };
  },
};

/** The same app goes on counting: a fallen counter is another life of it. */
function follows(previous: UpstreamCalls, from: string, poll: ChannelGroup): boolean {
  const last = previous.polls.at(-1);
  return previous.from === from && (last?.callsStarted ?? 0) <= poll.callsStarted;
}

interface NamedGroup {
  readonly name: string;
  readonly from: string;
  readonly at: Instant;
  readonly group: ChannelGroup;
  readonly polls: Channels["polls"];
}

/** Whether the app has a channel to the upstream: of several apps in a pod one has. */
export function leadsThere(context: Omit<JoinContext, "at">): boolean {
  return namedGroup(context) !== undefined;
}

/** The app's channels with this upstream, in the newest poll. */
function namedGroup(context: Omit<JoinContext, "at">): NamedGroup | undefined {
  const { app } = context;
  const polls = app?.fact("channels")?.polls;
  const newest = polls?.at(-1);
  if (app === undefined || polls === undefined || newest === undefined) return undefined;
  const name = groupNameOf(context, newest.upstreams);
  const group = name === undefined ? undefined : newest.upstreams[name];
  if (name === undefined || group === undefined) return undefined;
  return { name, from: app.name, at: newest.at, group, polls };
}

/**
 * The group of channels that names the upstream: by the same name and port, or by a shorter form of it
 * that the search list completes, if its connections go where the name points.
 */
function groupNameOf(
  context: Omit<JoinContext, "at">,
  groups: ChannelsPoll["upstreams"],
): string | undefined {
  const { name } = upstreamName(context.upstream.address);
  if (Object.hasOwn(groups, name)) return name;
  const { host, port } = parted(name);
  return Object.entries(groups).find(([other, group]) => {
    const short = parted(other);
    const isShorter = short.port === port && host.startsWith(`${short.host}.`);
    return isShorter && pointsThere(context, group);
  })?.[0];
}

/** True unless the group has connections, the name has answers, and they have nothing in common. */
function pointsThere(context: Pick<JoinContext, "own">, group: ChannelGroup): boolean {
  const seen = context.own.fact("resolution")?.seen ?? {};
  const remotes = Object.keys(group.remotes);
  if (remotes.length === 0 || Object.keys(seen).length === 0) return true;
  return remotes.some((address) => Object.hasOwn(seen, address));
}

function parted(name: string): { readonly host: string; readonly port: string } {
  const colon = name.lastIndexOf(":");
  return { host: name.slice(0, colon), port: name.slice(colon + 1) };
}

/** Every join, one for each fact that takes two targets. */
export const JOINS: readonly Join[] = [peersJoin, upstreamCallsJoin];
