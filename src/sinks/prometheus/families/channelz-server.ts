import type { CallPoll } from "../../../model/facts/server-calls.ts";
import type { ChannelzObservation } from "../../../model/observation.ts";
import { knownValue, type TargetSnapshot } from "../../../model/snapshot.ts";
import { type Family, type Feed, PREFIX, seconds } from "../family.ts";
import { createGrowth, type Growth } from "../growth.ts";
import { fromTargets, PerTarget, value } from "../per-target.ts";

function newestPoll(watched: TargetSnapshot): CallPoll | undefined {
  return knownValue(watched, "serverCalls")?.polls.at(-1);
}

/**
 * The fact begins at 0 with each life of the server; the lives add up. What a life counted after the
 * last scrape before its end is lost, as it is for any process that Prometheus scrapes.
 */
function acrossEpochs(count: (poll: CallPoll) => number): () => Feed {
  return () => {
    const totals = new PerTarget<{ epoch: number; before: number; now: number }>();
    const read = fromTargets((watched, target) => {
      const poll = newestPoll(watched);
      const last = totals.get(target.name) ?? { epoch: watched.epoch, before: 0, now: 0 };
      const now = poll === undefined ? last.now : count(poll);
      const isNewLife = poll !== undefined && (watched.epoch !== last.epoch || now < last.now);
      const total = isNewLife
        ? { epoch: watched.epoch, before: last.before + last.now, now }
        : { ...last, now };
      if (poll === undefined && totals.get(target.name) === undefined) return [];
      totals.set(target.name, total);
      return value(total.before + total.now);
    });
    return {
      read(scrape) {
        totals.keepOnly(scrape);
        return read(scrape);
      },
    };
  };
}

const callCounter = (word: string, help: string, count: (poll: CallPoll) => number): Family => ({
  name: `${PREFIX}channelz_server_calls_${word}_total`,
  help: `${help}, by channelz, without the agent's own.`,
  type: "counter",
  labels: ["target"],
  inDefaultPod: 1,
  from: acrossEpochs(count),
});

/** The newest cycle's value, while channelz delivers. */
function newestCycle(read: (cycle: ChannelzObservation) => number): () => Feed {
  return () => {
    const newest = new PerTarget<number>();
    return {
      observe(observation) {
        if (observation.kind === "cycle") newest.set(observation.target, read(observation));
        return [];
      },
      read(scrape) {
        newest.keepOnly(scrape);
        return fromTargets((watched, { name }) =>
          value(newestPoll(watched) === undefined ? undefined : newest.get(name)),
        )(scrape);
      },
    };
  };
}

export const CHANNELZ_SERVER_FAMILIES: readonly Family[] = [
  callCounter("started", "Calls that the server started", (poll) => poll.started),
  callCounter("succeeded", "Calls that the server ended well", (poll) => poll.succeeded),
  callCounter(
    "failed",
    "Calls that the server ended as failed; what counts as failed differs between implementations",
    (poll) => poll.failed,
  ),
  {
    name: `${PREFIX}channelz_server_calls_in_flight`,
    help: "Calls that the server has started and not ended, without the agent's own.",
    type: "gauge",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({ read: fromTargets((watched) => value(newestPoll(watched)?.inFlight)) }),
  },
  {
    name: `${PREFIX}channelz_server_connections`,
    help: "Connections to the server, without the agent's own.",
    type: "gauge",
    labels: ["target"],
    inDefaultPod: 1,
    from: () => ({
      read: fromTargets((watched) =>
        value(knownValue(watched, "sockets")?.polls.at(-1)?.connections),
      ),
    }),
  },
  {
    name: `${PREFIX}channelz_messages_total`,
    help: "Messages on the server's connections, seen by the server. A lower bound where there are more connections than the channelz budget reads.",
    type: "counter",
    labels: ["target", "direction"],
    inDefaultPod: 2,
    from: () => {
      const growths = new PerTarget<Growth>();
      return {
        starts: ({ settings }) =>
          settings.targets
            .filter(({ channelz }) => channelz !== undefined)
            .flatMap(({ name }) => [
              { target: name, direction: "received" },
              { target: name, direction: "sent" },
            ]),
        observe(observation) {
          if (observation.kind !== "cycle") return [];
          const { target, sockets } = observation;
          const growth = growths.get(target) ?? createGrowth();
          growths.set(target, growth);
          const grown = sockets.map(({ id, messagesReceived, messagesSent }) =>
            growth.of(String(id), [messagesReceived, messagesSent]),
          );
          const sum = (index: number) => grown.reduce((all, by) => all + (by[index] ?? 0), 0);
          return [
            { labels: { target, direction: "received" }, value: sum(0) },
            { labels: { target, direction: "sent" }, value: sum(1) },
          ];
        },
        read(scrape) {
          growths.keepOnly(scrape);
          return [];
        },
      };
    },
  },
  {
    name: `${PREFIX}channelz_poll_seconds`,
    help: "How long the newest channelz cycle took.",
    type: "gauge",
    unit: "seconds",
    labels: ["target"],
    inDefaultPod: 1,
    from: newestCycle((cycle) => seconds(cycle.durationMs)),
  },
];
