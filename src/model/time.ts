/** A point in time: milliseconds since the Unix epoch, UTC. Never a `Date`, which is mutable. */
export type Instant = number;

/**
 * The only way in which time enters the program.
 *
 * Every instant that is kept is of our own time, `now`, so that ages, windows and rates are differences
 * of one clock that nobody sets. `shown` turns one into the wall clock's, for whoever reads it, and for
 * what is compared with a foreign date: a certificate, a cron expression. Tests move a clock by hand.
 */
export interface Clock {
  /**
   * Our own time: what the wall clock said when the program began, carried on by the monotonic clock. A
   * wall clock that is set, or a machine that slept, moves it by nothing.
   */
  now(): Instant;
  /** What the wall clock, as it goes now, shows for an instant of our own time. */
  shown(at: Instant): Instant;
  /** Milliseconds, with fractions, from an arbitrary origin; never goes backwards. */
  monotonicMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when it is aborted before. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** A signal that is aborted after `ms`, or with its parent. It holds no process alive. */
  deadline(ms: number, parent?: AbortSignal): AbortSignal;
  /** Begins to measure how long steps of `ms` really take: each is a timer's, that may be late. */
  watchSteps(ms: number): StepWatch;
}

/**
 * The steps of time since the watch began, or was reset. The one that was under way then is not among
 * them, nor is the one of now. It holds no process alive.
 */
export interface StepWatch {
  readonly count: number;
  /** NaN while there is none. */
  readonly meanMs: number;
  /** The `nth` longest in ms, from 1 to `count`. */
  longestMs(nth: number): number;
  reset(): void;
  stop(): void;
}

const SECOND_MS = 1_000;

/**
 * From this moment of the monotonic clock to the next whole second; 0.1 s at least, since a timer may fire
 * a moment early. What works once a second begins there, so that all of it wakes the process once.
 */
export function untilWholeSecondMs(monotonicMs: number): number {
  const leftMs = SECOND_MS - (monotonicMs % SECOND_MS);
  return leftMs < SECOND_MS / 10 ? leftMs + SECOND_MS : leftMs;
}

/** A number in [0, 1); injected like the clock, so that jitter and ids repeat in tests. */
export type Random = () => number;

/** The last instant of ECMAScript; as far before 1970 lies the first. */
const LAST: Instant = 8_640_000_000_000_000;

/**
 * RFC 3339 in UTC with milliseconds, as every document and log line shows an instant. One beyond the
 * calendar, as a certificate or a stranger's snapshot may name, is shown as the calendar's end.
 */
export function rfc3339(instant: Instant): string {
  return new Date(Math.min(Math.max(instant, -LAST), LAST)).toISOString();
}

/** The instant of a date in any notation that ECMAScript reads; `undefined` where it is none. */
export function parseInstant(text: string): Instant | undefined {
  const instant = Date.parse(text);
  return Number.isNaN(instant) ? undefined : instant;
}
