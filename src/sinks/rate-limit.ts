import type { Instant } from "../model/time.ts";

/** Kinds of line that are counted apart; the oldest is forgotten, and may speak again. */
const MOST_KEYS = 200;

/** `"kept"`: no line; else how many were kept back since the one before. */
export type RateLimit = (key: string, at: Instant) => number | "kept";

/**
 * Lets one line of a key through in each interval, or as many as `most`, and tells the next one how many
 * it kept back since: a bug that strikes at every run is a line a minute. Time is that of the events.
 */
export function createRateLimit(intervalMs: number, most = 1): RateLimit {
  const seen = new Map<string, { since: Instant; told: number; kept: number }>();

  return (key, at) => {
    const last = seen.get(key);
    // A wall clock that was set back must not silence a line until it has caught up.
    if (last !== undefined && at >= last.since && at - last.since < intervalMs) {
      last.told += 1;
      if (last.told <= most) return 0;
      last.kept += 1;
      return "kept";
    }
    seen.delete(key);
    seen.set(key, { since: at, told: 1, kept: 0 });
    const [oldest] = seen.keys();
    if (seen.size > MOST_KEYS && oldest !== undefined) seen.delete(oldest);
    return last?.kept ?? 0;
  };
}
