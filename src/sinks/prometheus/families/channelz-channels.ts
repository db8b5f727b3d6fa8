import type { ChannelFacts, ChannelState } from "../../../model/channelz.ts";
import type { ChannelzObservation } from "../../../model/observation.ts";
import { knownValue } from "../../../model/snapshot.ts";
import type { Target } from "../../../model/target.ts";
import { type Family, type Feed, type Plan, PREFIX, type Sample } from "../family.ts";
import { createGrowth, type Growth } from "../growth.ts";
import { fromTargets, PerTarget } from "../per-target.ts";
import { OTHER, upstreamLabel, upstreamLabels } from "../upstream-label.ts";

/** gRPC's states; a peer that names none is in none of them. */
const STATES: readonly ChannelState[] = [
  "IDLE",
  "CONNECTING",
  "READY",
  "TRANSIENT_FAILURE",
  "SHUTDOWN",
];

type States = Readonly<Partial<Record<ChannelState, number>>>;
type CountName = "callsStarted" | "callsSucceeded" | "callsFailed";

const watchesChannels = ({ role, channelz }: Target) => role === "app" && channelz !== undefined;

/** One 0 or more for each state of each upstream that the app has channels to. */
function stateSamples(byLabel: ReadonlyMap<string, States>): readonly Sample[] {
  return [...byLabel].flatMap(([channel, states]) =>
    STATES.map((state) => ({ labels: { channel, state }, value: states[state] ?? 0 })),
  );
}

/** Adds up states under their upstream's label. */
function sumStates(
  parts: readonly { readonly text: string; readonly states: States }[],
  plan: Plan,
): ReadonlyMap<string, States> {
  const sums = new Map<string, Partial<Record<ChannelState, number>>>();
  for (const { text, states } of parts) {
    const label = upstreamLabel(text, plan);
    const sum = sums.get(label) ?? {};
    for (const state of STATES) sum[state] = (sum[state] ?? 0) + (states[state] ?? 0);
    sums.set(label, sum);
  }
  return sums;
}

/** Calls of the app's channels; a channel that ends takes nothing away. */
function channelCalls(name: CountName): () => Feed {
  return () => {
    const growths = new PerTarget<Growth>();
    let running: Plan | undefined;
    const starts = (plan: Plan) => {
      running = plan;
      const { targets } = plan.settings;
      return targets
        .filter(watchesChannels)
        .flatMap(({ name: target }) =>
          upstreamLabels(targets).map((channel) => ({ target, channel })),
        );
    };
    const labelOf = (text: string) =>
      running === undefined ? OTHER : upstreamLabel(text, running);
    const observe = ({ target, channels }: ChannelzObservation) => {
      const growth = growths.get(target) ?? createGrowth();
      growths.set(target, growth);
      const samples = channels.map((channel) => ({
        labels: { target, channel: labelOf(channel.target) },
        value: growth.of(String(channel.id), [channel[name]])[0] ?? 0,
      }));
      growth.looked();
      return samples;
    };
    return {
      starts,
      observe: (observation) => (observation.kind === "cycle" ? observe(observation) : []),
      read(scrape) {
        growths.keepOnly(scrape);
        return [];
      },
    };
  };
}

const callCounter = (word: string, help: string, name: CountName): Family => ({
  name: `${PREFIX}channelz_channel_calls_${word}_total`,
  help: `${help}, by the app's own channelz; channel is a configured upstream or "other".`,
  type: "counter",
  labels: ["target", "channel"],
  inDefaultPod: 1,
  from: channelCalls(name),
});

/** Subchannels of the newest cycle, as no fact counts their states. */
function subchannels(): Feed {
  const newest = new PerTarget<readonly ChannelFacts[]>();
  const read = fromTargets((watched, { name }, scrape) => {
    if (knownValue(watched, "channels") === undefined) return [];
    const parts = (newest.get(name) ?? []).flatMap((channel) =>
      channel.subchannels.map(({ state }) => ({ text: channel.target, states: { [state]: 1 } })),
    );
    return stateSamples(sumStates(parts, scrape));
  });
  return {
    observe(observation) {
      if (observation.kind === "cycle") newest.set(observation.target, observation.channels);
      return [];
    },
    read(scrape) {
      newest.keepOnly(scrape);
      return read(scrape);
    },
  };
}

export const CHANNELZ_CHANNEL_FAMILIES: readonly Family[] = [
  callCounter("started", "Calls that the app started", "callsStarted"),
  callCounter("succeeded", "Calls of the app that ended well", "callsSucceeded"),
  callCounter("failed", "Calls of the app that failed", "callsFailed"),
  {
    name: `${PREFIX}channelz_channel_state`,
    help: "Channels of the app in each connectivity state.",
    type: "gauge",
    labels: ["target", "channel", "state"],
    inDefaultPod: STATES.length,
    from: () => ({
      read: fromTargets((watched, _target, scrape) => {
        const upstreams = knownValue(watched, "channels")?.polls.at(-1)?.upstreams ?? {};
        const parts = Object.entries(upstreams).map(([text, { states }]) => ({ text, states }));
        return stateSamples(sumStates(parts, scrape));
      }),
    }),
  },
  {
    name: `${PREFIX}channelz_subchannels`,
    help: "Subchannels of the app in each connectivity state.",
    type: "gauge",
    labels: ["target", "channel", "state"],
    inDefaultPod: STATES.length,
    from: subchannels,
  },
];
