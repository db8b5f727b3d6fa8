import { handledCalls } from "./call-series.ts";
import { lastWindow, type Span } from "./counters.ts";
import type { AppCalls, AppScrape } from "./facts/app-calls.ts";
import type { DurationBuckets } from "./method-counts.ts";
import type { StatusName } from "./status.ts";

const FEW_BAD = 10;
/** Share of the cancelled calls in one bucket that tells a deadline from cancels of users. */
const SAME_BUCKET_RATIO = 0.8;
/** In two neighbours, where their bound is the deadline. */
const BOTH_BUCKETS_RATIO = 0.95;
/** A bucket whose upper bound is at most so many times its lower one holds one age. */
const NARROW = 1.5;
/** Share of them that the server's own timer ended first: measured, an eighth on Go. */
const LEAST_EXPIRED_RATIO = 0.05;
/** Hedging cancels its losers sooner than any deadline ends. */
const SHORTEST_DEADLINE_MS = 50;

/** Whether the app itself counts calls past their deadline, in a share of at least half of `ratio`. */
export function countsExpired(
  appCalls: AppCalls,
  windowMs: number,
  ratio: number,
): boolean | undefined {
  const span = lastWindow(appCalls.scrapes, windowMs);
  if (span === undefined) return undefined;
  const expired = gained(span, "DEADLINE_EXCEEDED") - gained(span, "DEADLINE_EXCEEDED", "answered");
  const handled = handledCalls(span.to) - handledCalls(span.from);
  return expired > 0 && expired >= (ratio / 2) * handled;
}

/** Whether the cancelled calls ended at one age, that of a deadline, and not when users left. */
export function endsAtOneAge({ scrapes }: AppCalls, windowMs: number): boolean | undefined {
  const span = lastWindow(scrapes, windowMs);
  if (span === undefined) return undefined;
  const { from, to } = span;
  const after = to.cancelledDurations ?? to.provenDurations;
  if (after === undefined) return undefined;
  const counts = bucketCounts(from.cancelledDurations ?? from.provenDurations, after);
  const expired = gained(span, "DEADLINE_EXCEEDED");
  const byCode = gained(span, "CANCELLED") + expired;
  // Not every histogram tells the age of each of them.
  const all = to.cancelledDurations === undefined ? byCode : sumOf(counts);
  if (all < FEW_BAD) return false;
  const areSomeExpired = expired >= LEAST_EXPIRED_RATIO * all;
  return isOneAge(counts, { all, upperMs: after.upperMs, areSomeExpired });
}

interface Ages {
  readonly all: number;
  readonly upperMs: readonly number[];
  readonly areSomeExpired: boolean;
}

/**
 * Most are in one bucket, or nearly all in two neighbours: a deadline that is itself a bound of the
 * buckets, as round numbers are, falls on both sides of it. Users who leave after 5 to 10 s are in one
 * bucket too where it is so wide: then, and of two, the server's own timer has to tell of deadlines as
 * well. The last bucket has no bound: ages of minutes and of hours are not one age.
 */
function isOneAge(counts: readonly number[], { all, upperMs, areSomeExpired }: Ages): boolean {
  return upperMs.some((upper, index) => {
    const lower = upperMs[index - 1] ?? 0;
    const inBucket = counts[index] ?? 0;
    const inNext = index + 1 < upperMs.length ? (counts[index + 1] ?? 0) : 0;
    const isAge = areSomeExpired || upper <= NARROW * lower;
    const inOne = isAge && inBucket >= SAME_BUCKET_RATIO * all;
    const atBound = areSomeExpired && inBucket + inNext >= BOTH_BUCKETS_RATIO * all;
    return lower >= SHORTEST_DEADLINE_MS && (inOne || atBound);
  });
}

function gained(
  { from, to }: Span<AppScrape>,
  code: StatusName,
  what: "handledByCode" | "answered" = "handledByCode",
): number {
  return (to[what]?.[code] ?? 0) - (from[what]?.[code] ?? 0);
}

function sumOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What each bucket gained, from two cumulative histograms. */
function bucketCounts(
  before: DurationBuckets | undefined,
  after: DurationBuckets,
): readonly number[] {
  const gained = after.counts.map((count, index) => count - (before?.counts[index] ?? 0));
  return gained.map((count, index) => count - (gained[index - 1] ?? 0));
}
