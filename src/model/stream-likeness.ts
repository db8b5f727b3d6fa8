import { appCallSeries, type CallCount, increase } from "./call-series.ts";
import { lastPolls, lastWindow } from "./counters.ts";
import type { AppCalls } from "./facts/app-calls.ts";
import { LONGEST_DEADLINE_MS, type MeanAge, type StormRate } from "./storm.ts";

/** Share of the cancelled calls that were answered before: then most of them are streams. */
const MOST_ANSWERED_RATIO = 0.5;
/** What waits for longer may be a stream; deadlines of calls are mostly shorter. */
const LONGEST_CALL_MS = 5_000;
/** Streams that are renewed are in flight at nearly every poll; few calls meet some polls only. */
const MET_RATIO = 0.75;
/** Calls that were answered before the number in flight rose. */
const GOOD_CALLS = 30;
const RISE_POLLS = 6;

/**
 * Whether most of the cancelled calls are streams on which more was said than a request: nobody waited
 * there. Every server has some, as health is watched by streams.
 */
export function areStreams(polls: readonly CallCount[], rate: StormRate): boolean {
  return answeredSince(polls, rate) >= MOST_ANSWERED_RATIO * rate.cancelled;
}

/** As the app's own metrics count, over their own window; `undefined` = not told. */
export function areStreamsByMetrics(calls: AppCalls, windowMs: number): boolean | undefined {
  const span = lastWindow(appCallSeries(calls), windowMs);
  if (span?.to.answered === undefined) return undefined;
  const answered = span.to.answered - (span.from.answered ?? 0);
  const { cancelled } = increase(span.from, span.to);
  return answered > 0 && answered >= MOST_ANSWERED_RATIO * cancelled;
}

/**
 * Whether the cancelled calls may be idle watches that their clients end by a timeout and open anew,
 * for servers that may stream, while nothing is known to be usual: on those the server sends nothing,
 * and a call that waits for its deadline looks the same.
 */
export function mayBeIdleWatches(
  polls: readonly CallCount[],
  age: MeanAge | undefined,
  rate: StormRate,
): boolean {
  const ageMs = age?.ms ?? 0;
  if (ageMs <= LONGEST_CALL_MS || ageMs > LONGEST_DEADLINE_MS) return false;
  const during = polls.filter(({ at }) => at >= rate.from);
  const met = during.filter(({ inFlight = 0 }) => inFlight > 0);
  return met.length >= MET_RATIO * during.length;
}

/** How many of the cancelled calls had been answered before, at most. */
export function answeredSince(polls: readonly CallCount[], { from, cancelled }: StormRate): number {
  const before = polls.find(({ at }) => at === from)?.answered ?? 0;
  return Math.min(cancelled, (polls.at(-1)?.answered ?? 0) - before);
}

/** Whether calls ended well before those in flight became more: streams that connect were none before. */
export function hadGoodCalls(polls: readonly CallCount[]): boolean {
  const [from] = polls;
  const to = lastPolls(polls, RISE_POLLS)?.from;
  if (from === undefined || to === undefined) return false;
  const { finished, cancelled } = increase(from, to);
  return finished - cancelled >= GOOD_CALLS;
}
