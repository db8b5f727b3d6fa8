import { badShare, type Outcomes } from "./bad-share.ts";
import { agesMs, type CallCount, increase } from "./call-series.ts";
import { lastCalls, lastPolls, lastWindow, mean, meanAgeMs, variation } from "./counters.ts";

/** The newest whole polls that hold 30 finished calls. */
const FEW_CALLS = 30;
const TIMES_USUAL = 3;
const MINUTE_MS = 60_000;
/** What rose is at least twice what is usual. */
const ROSE = 2;
/** The others end badly too where so many of them are cancelled, beyond what is usual and chance. */
const OTHERS_RATIO = 0.1;

/** How steady the mean age of calls is that all wait for the same deadline. */
const STEADY_VARIATION = 0.2;
const STEADY_POLLS = 6;
const GROWTH_RATIO = 1.5;
const GROWTH_CALLS = 10;
/** A call that streams may live for long by nature; deadlines are shorter than this. */
export const LONGEST_DEADLINE_MS = 60_000;
/**
 * A few calls are in flight by chance, more at one poll and fewer at the next: of 100 samples of six
 * polls, 99 have a variance below so many times their mean (chi-square of five degrees).
 */
const CHANCE = 2.5;
/** What is measured of a deadline at the very limit lies on both sides of it: by two standard errors. */
const LEAST_TOLERANCE = 0.1;
const MOST_TOLERANCE = 0.3;
const STANDARD_ERRORS = 2;
/** Streams may stand beside calls that fail; where most calls fail, those in flight are among them. */
const MOST_RATIO = 0.5;

/** Where nearly all calls fail, nothing is known to be usual, and a share of the limit is waiting. */
const ALL_RATIO = 0.9;
const ALL_AGE_RATIO = 0.2;

/** A share of calls that were cancelled or ran past their deadline, high enough to look further. */
export interface StormRate {
  readonly cancelled: number;
  readonly calls: number;
  readonly ratio: number;
  readonly ms: number;
  readonly from: number;
}

export interface RateLimits {
  readonly window: number;
  readonly ratio: number;
  readonly minFailed: number;
  readonly absoluteRatio: number;
}

/** The share of cancelled calls, as `badShare` has it. */
export function stormRate(
  polls: readonly CallCount[],
  usualRatio: number | undefined,
  { window, ratio, minFailed, absoluteRatio }: RateLimits,
): StormRate | "none" | undefined {
  const limits = { windowMs: window, ratio, leastBad: minFailed, absoluteRatio };
  const [oldest] = polls;
  const between = (from: CallCount, to: CallCount) => outcomesOf(from, to, oldest);
  const found = badShare(polls, between, { usualRatio, limits });
  if (found === undefined || found === "none") return found;
  const { bad, ...rate } = found;
  return { cancelled: bad, ...rate };
}

function outcomesOf(from: CallCount, to: CallCount, oldest: CallCount | undefined): Outcomes {
  const { started, finished, cancelled } = increase(from, to, oldest);
  return { calls: started, finished, bad: cancelled };
}

export interface MeanAge {
  readonly ms: number;
  /** Calls that were met in flight, over all polls. */
  readonly met: number;
  /** Absent below one call a second, where the ages of single polls say nothing. */
  readonly variation?: number;
  /** More variation than the polls have by chance, and than calls that wait for one deadline. */
  readonly isUnsteady?: boolean;
}

/** Mean age of the calls in flight by Little's law; `undefined` while too little is known. */
export function meanAge(polls: readonly CallCount[], windowMs: number): MeanAge | undefined {
  const rate = lastWindow(polls, windowMs);
  if (rate === undefined || increase(rate.from, rate.to).started * 1000 < rate.ms)
    return slowAge(polls);
  const newest = lastPolls(polls, STEADY_POLLS);
  const ages = newest === undefined ? [] : agesMs(newest.polls, rate);
  const ms = mean(ages);
  const spread = variation(ages);
  if (newest === undefined || ms === undefined || spread === undefined) return undefined;
  const met = metIn(newest.polls);
  const byChance = Math.sqrt((CHANCE * newest.polls.length) / met);
  return {
    ms,
    met,
    variation: spread,
    isUnsteady: spread >= Math.hypot(STEADY_VARIATION, byChance),
  };
}

/** Below one call a second: over the span of the last 30 calls. */
function slowAge(polls: readonly CallCount[]): MeanAge | undefined {
  const span = lastCalls(polls, FEW_CALLS, (from, to) => increase(from, to).finished);
  if (span === undefined) return undefined;
  const inFlight = mean(span.polls.flatMap((poll) => poll.inFlight ?? []));
  const { started } = increase(span.from, span.to);
  const ms = inFlight === undefined ? undefined : meanAgeMs(inFlight, started, span.ms);
  return ms === undefined ? undefined : { ms, met: metIn(span.polls) };
}

function metIn(polls: readonly CallCount[]): number {
  return polls.reduce((sum, { inFlight = 0 }) => sum + inFlight, 0);
}

export interface WaitingLimits {
  readonly limitMs: number;
  /** Some methods may hold their calls open by nature. */
  readonly mayStream: boolean;
  /** Share of the calls that were cancelled, and never answered. */
  readonly ratio: number;
  /**
   * As many are in flight as usual, as many are cancelled a minute, and the others end well: fewer of
   * them start, so both the mean age and the share of the cancelled ones rise.
   */
  readonly isOnlyRarer: boolean;
  /** The server's own timer would have ended some of the calls, and ended none: no deadline did. */
  readonly isUntimed: boolean;
}

/**
 * Whether calls wait, all as long as each other, and longer than usual. Streams that stay open make the
 * mean age high for ever: where there may be some, what is usual is not counted as waiting, and while
 * nothing is known to be usual, most calls must have been cancelled. Where nearly all are, none is told
 * from its deadline by one that ends well: a shorter wait counts then. Callers that took another's
 * answer, or ended an upload by cancelling it, look the same but for the server's own timer.
 */
export function isWaiting(
  age: MeanAge,
  usualMs: number | undefined,
  limits: WaitingLimits,
): boolean {
  if (age.isUnsteady === true) return false;
  if (usualMs === undefined) return isWaitingUnlearnt(age, limits);
  const isLong = usualMs > 0 && age.ms >= TIMES_USUAL * usualMs;
  const leastMs = leastShare(age, 0) * limits.limitMs;
  if (!limits.mayStream) return isLong || age.ms >= leastMs;
  if (limits.isOnlyRarer || age.ms > LONGEST_DEADLINE_MS) return false;
  return isLong || age.ms - usualMs >= leastMs;
}

/**
 * Whether neither what is in flight nor what is cancelled a minute has doubled since it was learnt, and
 * the calls beside what is usually cancelled end well. Where fewer start, a storm doubles neither.
 */
export function isOnlyRarer(
  { cancelled, calls, ratio, ms }: StormRate,
  newest: CallCount | undefined,
  usual: { readonly inFlight: number | undefined; readonly perMinute: number | undefined },
): boolean {
  if (usual.inFlight === undefined || usual.perMinute === undefined) return false;
  const expected = (usual.perMinute * ms) / MINUTE_MS;
  if ((newest?.inFlight ?? 0) >= ROSE * usual.inFlight || cancelled >= ROSE * expected)
    return false;
  const usually = expected + STANDARD_ERRORS * Math.sqrt(expected);
  const othersEndWell = cancelled - usually < OTHERS_RATIO * (calls - usually);
  return ratio < ALL_RATIO && othersEndWell;
}

function isWaitingUnlearnt(
  age: MeanAge,
  { limitMs, mayStream, ratio, isUntimed }: WaitingLimits,
): boolean {
  const leastMs = leastShare(age, isUntimed ? 0 : ratio) * limitMs;
  if (!mayStream || age.ms < leastMs) return age.ms >= leastMs;
  return !isUntimed && age.ms <= LONGEST_DEADLINE_MS && ratio >= MOST_RATIO;
}

/** What share of the limit is waiting. */
function leastShare({ met }: MeanAge, ratio: number): number {
  if (ratio >= ALL_RATIO) return ALL_AGE_RATIO;
  return 1 - Math.min(MOST_TOLERANCE, Math.max(LEAST_TOLERANCE, STANDARD_ERRORS / Math.sqrt(met)));
}

/**
 * Whether more and more calls are in flight, over several polls, and not only because more are started;
 * `undefined` while there are too few polls.
 */
export function isSwelling(polls: readonly CallCount[]): boolean | undefined {
  const newest = lastPolls(polls, STEADY_POLLS)?.polls ?? [];
  const inFlight = newest.flatMap((poll) => poll.inFlight ?? []);
  const [first] = inFlight;
  const [last, before] = inFlight.toReversed();
  if (first === undefined || last === undefined || before === undefined) return undefined;
  // One burst is in flight in one poll; what rises, has risen by half before the last.
  const isBurst = before - first < (last - first) / 2;
  const isMore = last >= GROWTH_RATIO * first * moreStarts(newest) && last >= first + GROWTH_CALLS;
  return isMore && !isBurst;
}

/** By what more calls were started before the last of these polls than after the first: 1 or more. */
function moreStarts(polls: readonly CallCount[]): number {
  const [first, second] = polls;
  const [last, before] = polls.toReversed();
  if (first === undefined || second === undefined || last === undefined || before === undefined)
    return 1;
  const perMs = (from: CallCount, to: CallCount) => (to.started - from.started) / (to.at - from.at);
  const was = perMs(first, second);
  return was > 0 ? Math.max(1, perMs(before, last) / was) : 1;
}
