import type { Observation } from "../model/observation.ts";
import type { ServingStatus } from "../model/status.ts";
import type { Instant } from "../model/time.ts";

/** One service's health turned into another status. */
export interface HealthChange {
  readonly target: string;
  readonly service: string;
  /** Absent: it is the first status that we heard. */
  readonly from?: ServingStatus;
  readonly to: ServingStatus;
  readonly at: Instant;
}

/** Ten services a target, and a hundred targets: more than any pod has. */
const MOST_SERVICES = 1000;

/**
 * Sees the changes in a row of health observations, which repeat the status at every poll. A name
 * that is forgotten for want of room is heard for the first time again, and no more.
 */
export function watchHealth(): (observation: Observation) => HealthChange | undefined {
  const latest = new Map<string, ServingStatus>();

  return (observation) => {
    if (observation.source !== "health" || observation.kind !== "status") return undefined;
    const { target, service, status: to, at } = observation;
    const key = `${target}/${service}`;
    const from = latest.get(key);
    if (from === to) return undefined;

    latest.set(key, to);
    const [oldest] = latest.keys();
    if (latest.size > MOST_SERVICES && oldest !== undefined) latest.delete(oldest);
    return { target, service, ...(from === undefined ? {} : { from }), to, at };
  };
}
