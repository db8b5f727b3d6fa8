import type { AgentEvent } from "../model/event.ts";
import type { Instant } from "../model/time.ts";

const MOST_LAG_MS = 100;
const MOST_LATE_RATIO = 0.2;
/** How long what we saw of ourselves holds, where no later window speaks: one window. */
const HOLDS_MS = 15_000;

/** Longer than anything holds: what lies further ahead is from before the clock was set back. */
const LONGEST_MS = 120_000;

/** Until when our own timing is suspect; 0 = it never was. */
export type Suspicion = Instant;

export function isSuspect(until: Suspicion, now: Instant): boolean {
  return now < until && until - now <= LONGEST_MS;
}

/**
 * Suspects ourselves first: our event loop lagged, our cgroup was throttled, or a job began late by more
 * than 20 % of its interval; or we stood still, and know it before any window ends. A window speaks for the time until the next one; a job that was late speaks
 * at once, as what it saw arrives before the window ends.
 */
export function suspect(before: Suspicion, event: AgentEvent): Suspicion {
  const until = isSuspect(before, event.at) ? before : 0;
  if (event.kind === "self") {
    const isSick = event.lagP99Ms > MOST_LAG_MS || (event.throttledRatio ?? 0) > 0;
    const holdsMs = Math.min(Math.max(event.windowMs, HOLDS_MS), LONGEST_MS);
    return isSick ? Math.max(until, event.at + holdsMs) : until;
  }
  if (event.kind === "stalled") return Math.max(until, event.at + HOLDS_MS);
  if (event.kind === "job-finished" && event.intervalMs !== undefined) {
    const isLate = event.lagMs > MOST_LATE_RATIO * event.intervalMs;
    return isLate ? Math.max(until, event.at + HOLDS_MS) : until;
  }
  return until;
}
