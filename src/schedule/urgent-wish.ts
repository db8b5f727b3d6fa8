import type { Urgency } from "../model/job.ts";
import type { Clock, Random } from "../model/time.ts";

const MAX_JITTER_MS = 1_000;
/** Keys that were served and are remembered; older ones do not come back in practice. */
const REMEMBERED_KEYS = 32;

/** The wish for one run before the cadence's next: each key is served once. */
export interface UrgentWish {
  /**
   * The job's wish as planned now; one that was withdrawn before it was served is dropped. Returns
   * whether anything changed.
   */
  set(urgency: Urgency | undefined): boolean;
  /** When the wished run starts, on the monotonic clock; `undefined` = no wish. */
  readonly atMs: number | undefined;
  /** A run begins, for whatever reason: the wish is served by it. */
  serve(): void;
}

export function createUrgentWish(clock: Clock, random: Random): UrgentWish {
  const served = new Set<string>();
  let wish: { key: string; atMs: number } | undefined;
  const within = (ms: number) => clock.monotonicMs() + random() * Math.min(ms, MAX_JITTER_MS);
  return {
    get atMs() {
      return wish?.atMs;
    },
    set(urgency) {
      const before = wish?.key;
      const wanted = urgency === undefined || served.has(urgency.key) ? undefined : urgency;
      if (wanted?.key === before) return false;
      wish = wanted === undefined ? undefined : { key: wanted.key, atMs: within(wanted.withinMs) };
      return true;
    },
    serve() {
      if (wish === undefined) return;
      served.add(wish.key);
      wish = undefined;
      const [oldest] = served;
      if (served.size > REMEMBERED_KEYS && oldest !== undefined) served.delete(oldest);
    },
  };
}
