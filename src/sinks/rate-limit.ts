import type { Instant } from "../model/time.ts";

/** Kinds of line that are counted apart; the oldest is forgotten, and may speak again. */
const MOST_KEYS = 200;

/**
 * Lets one line of a key through in each interval, and tells it how many it kept back since: a bug
 * that strikes at every run is a line a minute. Time is that of the events.
 */
export function createRateLimit(intervalMs: number): (key: string, at: Instant) => number | "kept" {
  const seen = new Map<string, { readonly since: Instant; readonly kept: number }>();

  return (key, at) => {
    const last = seen.get(key);
    // A wall clock that was set back must not silence a line until it has caught up.
    const isEarly = last !== undefined && at >= last.since && at - last.since < intervalMs;
    if (isEarly) {
      seen.set(key, { since: last.since, kept: last.kept + 1 });
      return "kept";
    }
    seen.delete(key);
    seen.set(key, { since: at, kept: 0 });
    const [oldest] = seen.keys();
    if (seen.size > MOST_KEYS && oldest !== undefined) seen.delete(oldest);
    return last?.kept ?? 0;
  };
}
