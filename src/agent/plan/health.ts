import { youngEnds } from "../../model/facts/kept.ts";
import type { Job } from "../../model/job.ts";
import { knownValue } from "../../model/snapshot.ts";
import type { Need } from "../plan.ts";
import { ASK_AGAIN_MS, every, isMissing } from "./cadence.ts";

const POLL_MS = 10_000;
/** After a call without reply: three of them make a frozen app, so they follow closely. */
const SUSPICIOUS_MS = 2_500;
/** Connections in a row that ended younger than this: an idle timeout ends none that is polled so closely. */
const ENDED = { most: 2, youngerMs: 60_000 };
/** More watches than this cost the server more than they tell. */
const MOST_SERVICES = 10;

/** Our other calls go over the same connection: with no stream left they would wait for ever. */
const MOST_OF_STREAMS = 0.5;

/** A stream for each service, a Check for each every 10 s, and the list of what there is. */
export function planHealth(need: Need): readonly Job[] {
  const { target, known, now } = need;
  const services = watchedServices(need);
  const kept = knownValue(known, "kept");
  const isEnding = kept !== undefined && youngEnds(kept, ENDED.youngerMs, now).length >= ENDED.most;
  const isSuspicious = isEnding || (kept?.silentInRow ?? 0) > 0;
  const interval = isSuspicious ? SUSPICIOUS_MS : POLL_MS;
  const base = { source: "health", label: "health", target: target.name } as const;
  const isWatchable =
    !isMissing(known, now, { source: "health" }) &&
    !isMissing(known, now, { source: "health", part: "Watch" });

  const watches = services.slice(0, mostWatches(need)).map(
    (service): Job => ({
      ...base,
      key: `health/watch/${target.name}/${service}`,
      cadence: { kind: "continuous" },
      deadlineMs: Number.POSITIVE_INFINITY,
      mode: "watch",
      services: [service],
    }),
  );
  return [
    ...(isWatchable ? watches : []),
    {
      ...base,
      key: `health/poll/${target.name}`,
      cadence: every(interval),
      deadlineMs: Math.min(5_000, interval),
      mode: "poll",
      services,
    },
    {
      ...base,
      key: `health/discover/${target.name}`,
      cadence: every(ASK_AGAIN_MS),
      deadlineMs: 10_000,
      urgency: { key: `epoch ${known.epoch}`, withinMs: 1_000 },
      mode: "discover",
      services: [],
    },
  ];
}

/** As many streams as may stay open where the server allows only some per connection. */
function mostWatches({ known }: Need): number {
  const allowed = knownValue(known, "xray")?.lastSettings?.maxConcurrentStreams;
  return allowed === undefined ? MOST_SERVICES : Math.floor(MOST_OF_STREAMS * allowed);
}

/** Configured names first, then those that health itself lists; never what only reflection knows. */
function watchedServices({ target, known }: Need): readonly string[] {
  const listed = knownValue(known, "services")?.health ?? [];
  return [...new Set([...target.health.services, ...listed])].slice(0, MOST_SERVICES);
}
