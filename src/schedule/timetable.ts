import type { Cadence } from "../model/job.ts";
import type { Clock, Instant } from "../model/time.ts";
import { nextCron } from "./cron.ts";

/** What comes next: a run, or only another look at the wall clock. */
export interface Turn {
  /** On the monotonic clock. */
  readonly atMs: number;
  readonly kind: "run" | "look";
}

/** When a job's runs are due; it holds the phase, and so lives as long as the job. */
export interface Timetable {
  next(): Turn;
  /** The turn was taken at `nowMs`: go on to the one after. Returns the runs that were missed. */
  take(nowMs: number): number;
  /** From one run to the next; absent where it cannot be told. */
  readonly intervalMs: number | undefined;
}

export interface TimetableOptions {
  readonly clock: Clock;
  /** In [0, 1): the job's own place within its interval. */
  readonly share: number;
  /** Within this time the first run of a periodic job starts; ms. 0: nobody has a place of his own. */
  readonly spreadMs: number;
  /** When the job began its last run; absent = never. */
  readonly lastRunMs?: number;
}

type Timed = Exclude<Cadence, { readonly kind: "continuous" }>;

export function createTimetable(cadence: Timed, options: TimetableOptions): Timetable {
  return cadence.kind === "every"
    ? createPeriod(cadence, options)
    : createCron(cadence.expression, options);
}

/**
 * Equal steps on the monotonic clock. The next step counts from the last one's due time and not from
 * its start, so lateness does not add up; steps that lie in the past are missed, never made up for.
 *
 * The first run comes early, and a job whose interval changed counts from its last run, which for a
 * whole fleet may have been one moment: all of them lost one server. So the step after such a run is
 * longer or shorter, by half an interval at most, and leads to the job's own place in its interval,
 * where it stays. A job that keeps its distance is never early for that.
 */
function createPeriod(
  { ms, keepsDistance = false }: Extract<Cadence, { readonly kind: "every" }>,
  { clock, share, spreadMs, lastRunMs }: TimetableOptions,
): Timetable {
  const intervalMs = Math.max(1, ms);
  const hasPlace = spreadMs > 0 && !keepsDistance;
  const nearestPlaceTo = (stepMs: number) => {
    const placeMs = share * intervalMs;
    return placeMs + Math.round((stepMs - placeMs) / intervalMs) * intervalMs;
  };
  const inPlace = (stepMs: number) => (hasPlace ? Math.floor(nearestPlaceTo(stepMs)) : stepMs);
  const nowMs = clock.monotonicMs();
  let dueMs =
    lastRunMs === undefined
      ? nowMs + Math.floor(share * Math.min(intervalMs, spreadMs))
      : Math.max(nowMs, inPlace(lastRunMs + intervalMs));
  return {
    intervalMs,
    next: () => ({ atMs: dueMs, kind: "run" }),
    take(takenMs) {
      const missed = Math.max(0, Math.floor((takenMs - dueMs) / intervalMs));
      dueMs = inPlace(dueMs + (missed + 1) * intervalMs);
      return missed;
    },
  };
}

/** A wall clock that was set is noticed within this time. */
const LOOK_EVERY_MS = 30_000;
/** Set back by more than this, the slots before the planned one are due again. */
const SET_BACK_MS = 1_000;
const MAX_CRON_JITTER_MS = 30_000;
const CRON_JITTER_SHARE = 0.1;

interface Slot {
  /** As the expression says. */
  readonly at: Instant;
  /** With the job's own delay. */
  readonly dueAt: Instant;
  readonly gapMs: number;
}

/**
 * Moments of the wall clock, each delayed by the job's own share of a tenth of the gap (30 s at
 * most), so that a fleet does not call at the full minute. The wall clock is read again every 30 s:
 * set forward past a slot, the job runs once; set back, it waits for the slot that is next now.
 */
function createCron(expression: string, { clock, share }: TimetableOptions): Timetable {
  const slotAfter = (instant: Instant): Slot | undefined => {
    const at = nextCron(expression, instant);
    if (at === undefined) return undefined;
    const following = nextCron(expression, at);
    const gapMs = following === undefined ? Number.POSITIVE_INFINITY : following - at;
    return {
      at,
      dueAt: at + Math.floor(share * Math.min(CRON_JITTER_SHARE * gapMs, MAX_CRON_JITTER_MS)),
      gapMs,
    };
  };
  const wallNow = () => clock.shown(clock.now());
  let slot = slotAfter(wallNow());
  let seen = { wall: wallNow(), monotonicMs: clock.monotonicMs() };
  return {
    get intervalMs() {
      return slot !== undefined && Number.isFinite(slot.gapMs) ? slot.gapMs : undefined;
    },
    next() {
      const now = wallNow();
      const nowMs = clock.monotonicMs();
      if (now - seen.wall - (nowMs - seen.monotonicMs) < -SET_BACK_MS) slot = slotAfter(now);
      seen = { wall: now, monotonicMs: nowMs };
      const leftMs = slot === undefined ? Number.POSITIVE_INFINITY : slot.dueAt - now;
      return leftMs > LOOK_EVERY_MS
        ? { atMs: nowMs + LOOK_EVERY_MS, kind: "look" }
        : { atMs: nowMs + Math.max(0, leftMs), kind: "run" };
    },
    take() {
      // A timer may fire a moment early: the slot just taken must not come again.
      slot = slotAfter(Math.max(wallNow(), slot?.at ?? 0));
      return 0;
    },
  };
}
