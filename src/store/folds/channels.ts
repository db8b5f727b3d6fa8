import type { ChannelFacts, SubchannelFacts } from "../../model/channelz.ts";
import type { ChannelGroup, Channels, ChannelsPoll } from "../../model/facts/channels.ts";
import { isKeepable } from "../../model/server-name.ts";
import { addressOf, upstreamName } from "../../model/upstream-name.ts";
import { CALL_COUNTERS } from "../call-counters.ts";
import { definedOnly } from "../defined-only.ts";
import { defineFold } from "../fold.ts";
import { pushed } from "../ring.ts";
import { type Tally, tallied } from "../tally.ts";
import { channelzAgeMs } from "./channelz-age.ts";

const MOST_POLLS = 70;
const MOST_UPSTREAMS = 50;
const MOST_REMOTES = 100;
/** Connections by address are compared over a few polls only; older polls keep the counters. */
const POLLS_WITH_REMOTES = 6;

interface Tallies {
  readonly calls: Tally;
  readonly attempts: Tally;
}

interface State {
  readonly value: Channels;
  readonly tallies: Readonly<Record<string, Tallies>>;
}

/**
 * The app as a client: its channels by the upstream that they name. Counters do not fall when a channel
 * dies, and a sub-channel that several channels share is counted once.
 */
export const channelsFold = defineFold({
  fact: "channels",
  of: ["app"],
  source: "channelz",
  reads: ["channelz/cycle"],
  bound: "70 polls of 50 upstreams; 100 addresses each in the newest 6",
  maxAgeMs: channelzAgeMs,
  inNewEpoch: "goes",
  tell: (state: State) => state.value,

  fold(previous: State | undefined, { at, channels, implementation }) {
    const { countsQueuedStreams } = CALL_COUNTERS[implementation];
    const groups = groupsOf(channels)
      .slice(0, MOST_UPSTREAMS)
      .map((group) => ({ group, tallies: talliesOf(previous?.tallies[group.name], group) }));
    const tallies = Object.fromEntries(groups.map(({ group, tallies }) => [group.name, tallies]));
    const upstreams = Object.fromEntries(
      groups.map(({ group, tallies }) => [
        group.name,
        {
          ...groupFacts(group, tallies),
          ...(countsQueuedStreams ? { countsQueued: true as const } : {}),
        },
      ]),
    );
    const polls = pushed(previous?.value.polls ?? [], { at, upstreams }, MOST_POLLS);
    return { tallies, value: { polls: polls.map(thinned) } };
  },
});

interface Group {
  readonly name: string;
  readonly scheme: string | undefined;
  readonly channels: readonly ChannelFacts[];
  /** Each once, though several of the channels use it. */
  readonly subchannels: readonly SubchannelFacts[];
  /** Channels of another group use one of them too. */
  readonly isShared: boolean;
}

function groupsOf(channels: readonly ChannelFacts[]): readonly Group[] {
  const byName = new Map<string, { scheme: string | undefined; channels: ChannelFacts[] }>();
  for (const channel of channels) {
    const { name, scheme } = upstreamName(channel.target);
    const group = byName.get(name);
    if (group === undefined) byName.set(name, { scheme, channels: [channel] });
    else group.channels.push(channel);
  }
  const groups = [...byName].map(([name, group]) => {
    const all = group.channels.flatMap((channel) => channel.subchannels);
    const own = new Map(all.map((subchannel) => [subchannel.id, subchannel]));
    return { name, ...group, subchannels: [...own.values()] };
  });
  const owners = tallyOf(groups.flatMap(({ subchannels }) => subchannels.map(({ id }) => id)));
  return groups.map((group) => ({
    ...group,
    isShared: group.subchannels.some(({ id }) => (owners.get(id) ?? 0) > 1),
  }));
}

function tallyOf(ids: readonly number[]): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  return counts;
}

function talliesOf(before: Tallies | undefined, { channels, subchannels }: Group): Tallies {
  return {
    calls: tallied(before?.calls, channels.map(countersOf)),
    attempts: tallied(before?.attempts, subchannels.map(countersOf)),
  };
}

function countersOf({
  id,
  callsStarted: started,
  callsSucceeded: succeeded,
  callsFailed: failed,
}: ChannelFacts | SubchannelFacts) {
  return { id, started, succeeded, failed };
}

function groupFacts(group: Group, { calls, attempts }: Tallies): ChannelGroup {
  const { channels, subchannels, scheme } = group;
  const lastError = channels.findLast((channel) => channel.lastError !== undefined)?.lastError;
  return {
    channels: channels.length,
    states: statesOf(channels),
    callsStarted: calls.started,
    callsSucceeded: calls.succeeded,
    callsFailed: calls.failed,
    attempts: attempts.started,
    attemptsFailed: attempts.failed,
    subchannels: subchannels.length,
    ...(group.isShared ? { isShared: true } : {}),
    remotes: remotesOf(subchannels),
    ...definedOnly({ lastError, scheme }),
  };
}

function statesOf(channels: readonly ChannelFacts[]): ChannelGroup["states"] {
  const states: Partial<Record<ChannelFacts["state"], number>> = {};
  for (const { state } of channels) states[state] = (states[state] ?? 0) + 1;
  return states;
}

type Remote = ChannelGroup["remotes"][string];

const NO_CONNECTION: Remote = { open: 0, started: 0, connections: 0, failing: false };

/** A sub-channel has one connection at a time; without one, its own target says where it tries. */
function remotesOf(subchannels: readonly SubchannelFacts[]): ChannelGroup["remotes"] {
  const remotes = new Map<string, Remote>();
  for (const subchannel of subchannels) {
    const address = addressOf(subchannel.remotes[0] ?? subchannel.target);
    const known = remotes.get(address);
    const hasRoom = known !== undefined || remotes.size < MOST_REMOTES;
    if (address === "" || !isKeepable(address) || !hasRoom) continue;
    remotes.set(address, withSubchannel(known ?? NO_CONNECTION, subchannel));
  }
  return Object.fromEntries(remotes);
}

function withSubchannel(remote: Remote, subchannel: SubchannelFacts): Remote {
  return {
    open: remote.open + subchannel.openStreams,
    started: remote.started + subchannel.callsStarted,
    connections: remote.connections + subchannel.remotes.length,
    failing: remote.failing || subchannel.state === "TRANSIENT_FAILURE",
  };
}

/** Only the poll that has just become old is changed; the others are shared. */
function thinned(poll: ChannelsPoll, index: number, polls: readonly ChannelsPoll[]): ChannelsPoll {
  if (index !== polls.length - 1 - POLLS_WITH_REMOTES) return poll;
  const upstreams = Object.entries(poll.upstreams).map(
    ([name, group]) => [name, { ...group, remotes: {} }] as const,
  );
  return { at: poll.at, upstreams: Object.fromEntries(upstreams) };
}
