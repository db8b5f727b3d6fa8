import { knownValue } from "../../../model/snapshot.ts";
import { type Drain, watchDrains } from "../../drain-watch.ts";
import { type Family, type Feed, PREFIX, type Scrape, seconds } from "../family.ts";
import { fromTargets, PerTarget, value } from "../per-target.ts";

/** A value of the target's drain, from its beginning until the target serves again. */
function ofDrain(read: (drain: Drain, scrape: Scrape) => number | undefined): () => Feed {
  return () => {
    const drains = new PerTarget<Drain>();
    const watch = watchDrains();
    return {
      observe(observation) {
        const drain = watch(observation);
        if (drain !== undefined) drains.set(observation.target, drain);
        return [];
      },
      read(scrape) {
        drains.keepOnly(scrape);
        return fromTargets((_watched, { name }) => {
          const drain = drains.get(name);
          return value(drain && read(drain, scrape));
        })(scrape);
      },
    };
  };
}

export const DRAIN_FAMILIES: readonly Family[] = [
  {
    name: `${PREFIX}drain_seconds`,
    help: "How long the target's last drain took, or has taken until now. Best effort: the agent may be stopped first.",
    type: "gauge",
    unit: "seconds",
    labels: ["target"],
    inDefaultPod: 1,
    from: ofDrain(({ beganAt, endedAt }, { now }) =>
      seconds(Math.max(0, (endedAt ?? now) - beganAt)),
    ),
  },
  {
    name: `${PREFIX}drain_open_calls`,
    help: "Calls still in flight in the target's drain, as channelz told last.",
    type: "gauge",
    labels: ["target"],
    inDefaultPod: 1,
    from: ofDrain(({ target }, { snapshot }) => {
      const watched = snapshot.targets[target];
      return watched && knownValue(watched, "serverCalls")?.polls.at(-1)?.inFlight;
    }),
  },
  {
    name: `${PREFIX}drain_not_serving_lead_seconds`,
    help: "How long before its drain the target's health said NOT_SERVING: the time that load balancers had.",
    type: "gauge",
    unit: "seconds",
    labels: ["target"],
    inDefaultPod: 1,
    from: ofDrain(({ notServingLeadMs }) => notServingLeadMs && seconds(notServingLeadMs)),
  },
];
