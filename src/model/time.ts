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
