import type { Instant } from "./time.ts";

/**
 * Arithmetic over polls of cumulative counters: `polls` are of one epoch, oldest first. Everything is
 * `undefined` where the polls do not reach far enough: what is not known is not zero.
 */

export interface Timed {
  readonly at: Instant;
}

/** Two polls, and all that lies between them. */
export interface Span<P extends Timed> {
  readonly from: P;
  readonly to: P;
  /** `from` and `to` included, oldest first. */
  readonly polls: readonly P[];
  readonly ms: number;
}

/**
 * The newest polls that cover at least `windowMs`, and at most one poll more; `undefined` across a gap
 * that makes them more than twice as long.
 */
export function lastWindow<P extends Timed>(
  polls: readonly P[],
  windowMs: number,
): Span<P> | undefined {
  const newest = polls.at(-1);
  if (newest === undefined) return undefined;
  const index = polls.findLastIndex((poll) => newest.at - poll.at >= windowMs);
  const span = spanFrom(polls, index);
  return span !== undefined && span.ms <= 2 * windowMs ? span : undefined;
}

/** The newest `count` polls; `undefined` while there are fewer. */
export function lastPolls<P extends Timed>(
  polls: readonly P[],
  count: number,
): Span<P> | undefined {
  return count < 2 ? undefined : spanFrom(polls, polls.length - count);
}

/** As far back as the polls go; `undefined` for fewer than two. */
export function wholeSpan<P extends Timed>(polls: readonly P[]): Span<P> | undefined {
  return polls.length < 2 ? undefined : spanFrom(polls, 0);
}

/**
 * The newest whole polls in which at least `calls` were counted, or all that there are. Their number
 * is what two polls differ by.
 */
export function lastCalls<P extends Timed>(
  polls: readonly P[],
  calls: number,
  countOf: (from: P, to: P) => number,
): Span<P> | undefined {
  const newest = polls.at(-1);
  if (newest === undefined || polls.length < 2) return undefined;
  const enough = polls.findLastIndex((poll) => countOf(poll, newest) >= calls);
  return spanFrom(polls, Math.max(0, enough));
}

/** *n of the last m*: `bad` of `all` calls are at least n, and a third of all. */
export function isManyOf(bad: number, all: number, n: number): boolean {
  return bad >= n && 3 * bad >= all;
}

export function mean(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The middle of the sorted values, the lower one of two: a value that was really seen. */
export function median(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)];
}

/** Coefficient of variation: standard deviation (of the population) by the mean. */
export function variation(values: readonly number[]): number | undefined {
  const middle = mean(values);
  if (middle === undefined || middle === 0) return undefined;
  const variance = mean(values.map((value) => (value - middle) ** 2)) ?? 0;
  return Math.sqrt(variance) / middle;
}

/** Little's law: how long a call is in flight on average, from how many are and how many start. */
export function meanAgeMs(inFlight: number, started: number, ms: number): number | undefined {
  return started <= 0 ? undefined : (inFlight * ms) / started;
}

export interface Trend {
  /** Of the value, per minute. */
  readonly slopePerMinute: number;
  /** How much of the variance the line explains, 0..1. */
  readonly rSquared: number;
}

/** The straight line through the polls, by least squares; `undefined` for fewer than 3 instants. */
export function linearTrend<P extends Timed>(
  polls: readonly P[],
  valueOf: (poll: P) => number,
): Trend | undefined {
  const middleAt = mean(polls.map((poll) => poll.at));
  const middle = mean(polls.map(valueOf));
  if (polls.length < 3 || middleAt === undefined || middle === undefined) return undefined;
  const sum = (term: (poll: P) => number) => polls.reduce((total, poll) => total + term(poll), 0);
  const spreadOfTime = sum((poll) => (poll.at - middleAt) ** 2);
  const spread = sum((poll) => (valueOf(poll) - middle) ** 2);
  const both = sum((poll) => (poll.at - middleAt) * (valueOf(poll) - middle));
  if (spreadOfTime === 0) return undefined;
  return {
    slopePerMinute: (both / spreadOfTime) * 60_000,
    rSquared: spread === 0 ? 0 : both ** 2 / (spreadOfTime * spread),
  };
}

function spanFrom<P extends Timed>(polls: readonly P[], index: number): Span<P> | undefined {
  const from = polls[index];
  const to = polls.at(-1);
  if (from === undefined || to === undefined) return undefined;
  return { from, to, polls: polls.slice(index), ms: to.at - from.at };
}
