import type { AgentEvent } from "../model/event.ts";
import type { Instant } from "../model/time.ts";

const MOST_LAG_MS = 100;
const MOST_LATE_RATIO = 0.2;
/** How long what we saw of ourselves holds, where no later window speaks: one window. */
const HOLDS_MS = 15_000;

/** Until when our own timing is suspect; 0 = it never was. */
export type Suspicion = Instant;

/**
 * Suspects ourselves first: our event loop lagged, our cgroup was throttled, or a job began late by more
 * than 20 % of its interval; or we stood still, and know it before any window ends. A window speaks for the time until the next one; a job that was late speaks
 * at once, as what it saw arrives before the window ends.
 */
export function suspect(until: Suspicion, event: AgentEvent): Suspicion {
  if (event.kind === "self") {
    const isSick = event.lagP99Ms > MOST_LAG_MS || (event.throttledRatio ?? 0) > 0;
    return isSick ? Math.max(until, event.at + Math.max(event.windowMs, HOLDS_MS)) : until;
  }
  if (event.kind === "stalled") return Math.max(until, event.at + HOLDS_MS);
  if (event.kind === "job-finished" && event.intervalMs !== undefined) {
    const isLate = event.lagMs > MOST_LATE_RATIO * event.intervalMs;
    return isLate ? Math.max(until, event.at + HOLDS_MS) : until;
  }
  return until;
}
