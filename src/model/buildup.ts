import type { CallCount } from "./call-series.ts";
import { lastWindow, linearTrend, type Span, type Trend } from "./counters.ts";
import type { Instant } from "./time.ts";

const MINUTE_MS = 60_000;
const LINE_R_SQUARED = 0.8;
const TIMES_USUAL = 3;
/** Completions that rise by less stand still, and so does what is said on streams. */
const ROSE = 1.1;
/** Messages that the server sends more in a minute, for each call more: then calls in flight are streams. */
const SAID_ON_EACH = 0.5;
const STANDSTILL_CALLS = 10;

/** Calls in flight that rise, with the numbers that convict. */
export interface Buildup extends Trend {
  readonly inFlight: number;
  readonly startedPerMinute: number;
  readonly finishedPerMinute: number;
  readonly since: Instant;
  readonly ms: number;
  /** How many more are in flight than at its beginning. */
  readonly growth: number;
}

export interface UsualCalls {
  readonly inFlight: number;
  readonly finishedPerMinute: number | undefined;
  /** More streams take nothing away from what is finished, and the server may speak on them. */
  readonly mayStream: boolean;
}

/** Calls in flight on a rising line above what is usual, while no more are finished than before. */
export function buildupOf(
  series: readonly CallCount[],
  usual: UsualCalls,
  limits: { readonly window: number; readonly minInFlight: number },
): Buildup | undefined {
  const span = lastWindow(series, limits.window);
  const buildup = span && risingLine(span);
  if (span === undefined || buildup === undefined) return undefined;
  const { inFlight } = buildup;
  const isMany = inFlight >= TIMES_USUAL * usual.inFlight && inFlight >= limits.minInFlight;
  if (!isMany || finishesMore(span)) return undefined;
  return usual.mayStream && areStreams(span, buildup, usual) ? undefined : buildup;
}

/** Whether what stays open are streams: nobody waits for their end. */
function areStreams(span: Span<CallCount>, buildup: Buildup, usual: UsualCalls): boolean {
  return finishesAsUsual(buildup, usual) || talksMore(span, buildup);
}

/**
 * At least ten calls started and none finished for a minute, with ever more in flight. Where none was
 * ever seen to finish, they may be calls that wait for minutes by nature: then it takes `windowMs`.
 */
export function standstillOf(series: readonly CallCount[], windowMs: number): Buildup | undefined {
  const span = sinceLastFinish(series);
  if (span === undefined) return undefined;
  const { from, to, ms } = span;
  if (ms < (from.finished > 0 ? MINUTE_MS : windowMs)) return undefined;
  if (to.started - from.started < STANDSTILL_CALLS) return undefined;
  const buildup = describe(span);
  return buildup !== undefined && buildup.growth > 0 && buildup.slopePerMinute > 0
    ? buildup
    : undefined;
}

function sinceLastFinish(series: readonly CallCount[]): Span<CallCount> | undefined {
  const to = series.at(-1);
  if (to === undefined) return undefined;
  const lastFinish = series.findLastIndex((poll) => poll.finished < to.finished);
  const polls = series.slice(lastFinish + 1);
  const [from = to] = polls;
  return { from, to, polls, ms: to.at - from.at };
}

/** Whether the calls in flight have risen in a line for so long. */
export function isRisingFor(series: readonly CallCount[], ms: number): boolean {
  const span = lastWindow(series, ms);
  return span !== undefined && risingLine(span) !== undefined;
}

function risingLine(span: Span<CallCount>): Buildup | undefined {
  const buildup = describe(span);
  const isLine = buildup && buildup.slopePerMinute > 0 && buildup.rSquared > LINE_R_SQUARED;
  return isLine === true ? buildup : undefined;
}

function describe({ from, to, polls, ms }: Span<CallCount>): Buildup | undefined {
  const trend = linearTrend(polls, (poll) => poll.inFlight ?? 0);
  if (trend === undefined || from.inFlight === undefined || to.inFlight === undefined)
    return undefined;
  return {
    ...trend,
    inFlight: to.inFlight,
    startedPerMinute: perMinute(to.started - from.started, ms),
    finishedPerMinute: perMinute(to.finished - from.finished, ms),
    since: from.at,
    ms,
    growth: to.inFlight - from.inFlight,
  };
}

/** Whether as many calls are finished as usual, or hardly fewer. */
function finishesAsUsual({ finishedPerMinute }: Buildup, usual: UsualCalls): boolean {
  const { finishedPerMinute: usually } = usual;
  return usually !== undefined && ROSE * finishedPerMinute >= usually;
}

/** Whether the last minute of a span finished clearly more than its first one. */
function finishesMore(span: Span<CallCount>): boolean {
  const ends = endMinutes(span, ({ finished }) => finished);
  return ends !== undefined && ends.last > ROSE * ends.first;
}

/**
 * Whether the server says more on its streams as there are more of them: it waits for nothing there.
 * One that says a word on each and then hangs says less.
 */
function talksMore(span: Span<CallCount>, { growth }: Buildup): boolean {
  // What is not told is no number, and more than nothing.
  const ends = endMinutes(span, ({ spoken = Number.NaN }) => spoken);
  if (ends === undefined) return false;
  const { first, last } = ends;
  return last - first >= SAID_ON_EACH * growth && last > ROSE * first;
}

interface EndMinutes {
  readonly first: number;
  readonly last: number;
}

/** How much a counter rose in the first and in the last minute of a span, by minute. */
function endMinutes(
  { from, polls }: Span<CallCount>,
  counter: (poll: CallCount) => number,
): EndMinutes | undefined {
  const firstEnd = polls.find((poll) => poll.at - from.at >= MINUTE_MS);
  const last = lastWindow(polls, MINUTE_MS);
  if (firstEnd === undefined || last === undefined) return undefined;
  return {
    first: perMinute(counter(firstEnd) - counter(from), firstEnd.at - from.at),
    last: perMinute(counter(last.to) - counter(last.from), last.ms),
  };
}

function perMinute(count: number, ms: number): number {
  return (count * MINUTE_MS) / ms;
}
