import type { Observation } from "../model/observation.ts";
import { hostOf, isLoopback, type Role } from "../model/target.ts";
import type { Instant } from "../model/time.ts";

/** What was heard longer ago says little of a clock that drifts or was set. */
const HOLDS_MS = 600_000;

/** How the clock of another host differed from ours, when it was heard. */
export interface OtherClock {
  readonly heardAt: Instant;
  readonly differenceMs: number;
}

/**
 * Hears the clock of another host in the `date` header of an upstream's answer. The app of this pod
 * shares our clock, and so does whatever answers on loopback.
 */
export function heardClock(
  last: OtherClock | undefined,
  observation: Observation,
  role: Role | undefined,
): OtherClock | undefined {
  if (observation.kind !== "xray" || role !== "upstream") return last;
  const { at, rpc, dials } = observation.report;
  const address = dials.at(-1)?.address;
  if (rpc?.dateAt === undefined || address === undefined) return last;
  const host = hostOf(address);
  const isHere = host.startsWith("unix:") || isLoopback(host);
  return isHere ? last : { heardAt: at, differenceMs: rpc.dateAt - at };
}

export function clockDifferenceMs(clock: OtherClock | undefined, now: Instant): number | undefined {
  return clock !== undefined && now - clock.heardAt <= HOLDS_MS ? clock.differenceMs : undefined;
}
