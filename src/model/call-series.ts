import { meanAgeMs, type Span, type Timed } from "./counters.ts";
import type { AppCalls, AppScrape } from "./facts/app-calls.ts";
import type { CallPoll, ServerCalls } from "./facts/server-calls.ts";
import { present } from "./present.ts";
import { STATUS_NAMES } from "./status.ts";

/**
 * The server's own deadline and the caller's reset race each other: measured, at least a fifth of the
 * calls past their deadline are reset (Go client, grpc-js server), and none of those that end with an
 * error. Of so many calls, the chance that none is reset is below one in a hundred.
 */
const RESET_RATIO = 0.05;
const FEWEST_ENDS = 20;
/** What the connections that were read must have begun of all calls, to speak for them. */
const SEEN_RATIO = 0.9;

/** The server's calls at one moment, whoever counted them; cumulative but for `inFlight`. */
export interface CallCount extends Timed {
  readonly started: number;
  readonly finished: number;
  /** Cancelled or past their deadline, as near as the counter tells. */
  readonly cancelled: number;
  /** Absent where starts are not counted. */
  readonly inFlight?: number;
  readonly standing?: NonNullable<CallPoll["standing"]>;
  readonly streams?: NonNullable<CallPoll["streams"]>;
  readonly answered?: number;
}

/** By channelz where it is known, else by the app's own metrics, else empty. */
export function callSeries(counters: {
  readonly serverCalls: ServerCalls | undefined;
  readonly appCalls: AppCalls | undefined;
}): readonly CallCount[] {
  const { serverCalls, appCalls } = counters;
  if (serverCalls !== undefined) return serverCallSeries(serverCalls);
  return appCalls === undefined ? [] : appCallSeries(appCalls);
}

/**
 * As channelz counts. A call that Java abandons never ends in the server's counters: it shows only as
 * one that was started and is not in flight any more. Calls that ran before the first poll are in
 * flight without having been started.
 */
export function serverCallSeries({ polls }: ServerCalls): readonly CallCount[] {
  const first = polls[0]?.inFlight ?? 0;
  return polls.map(({ at, started, succeeded, failed, ...poll }) => ({
    ...present({ standing: poll.standing, streams: poll.streams, answered: poll.answered }),
    at,
    started,
    finished: Math.max(succeeded + failed, started - (poll.inFlight - first)),
    cancelled: poll.cancelled,
    inFlight: poll.inFlight,
  }));
}

/**
 * The series without the streams that stand open on quiet connections: nobody waits for their end.
 * `connections`: no more than one of each, as a client that watches the server's health has it though
 * every method is unary; a second one on a quiet connection is a call that does not end.
 */
export function withoutStanding(
  series: readonly CallCount[],
  what: "streams" | "connections",
): readonly CallCount[] {
  return series.map((poll) => {
    const { inFlight, standing } = poll;
    if (inFlight === undefined || standing === undefined) return poll;
    return { ...poll, inFlight: inFlight - standing[what] };
  });
}

/** As the app's own metrics count. */
export function appCallSeries({ scrapes }: AppCalls): readonly CallCount[] {
  return scrapes.map((scrape) => {
    const { at, started, handledByCode } = scrape;
    const finished = handledCalls(scrape);
    const { CANCELLED = 0, DEADLINE_EXCEEDED = 0 } = handledByCode;
    const counts = { at, finished, cancelled: CANCELLED + DEADLINE_EXCEEDED };
    if (started === undefined) return { ...counts, started: finished };
    return { ...counts, started, inFlight: scrape.inFlight ?? Math.max(0, started - finished) };
  });
}

/** Calls that ended, of every code. */
export function handledCalls({ handledByCode }: Pick<AppScrape, "handledByCode">): number {
  return STATUS_NAMES.reduce((sum, name) => sum + (handledByCode[name] ?? 0), 0);
}

/** What happened between two polls. */
export function increase(
  from: CallCount,
  to: CallCount,
): Pick<CallCount, "started" | "finished" | "cancelled"> {
  const ended = to.cancelled - from.cancelled;
  return {
    started: to.started - from.started,
    finished: Math.max(to.finished - from.finished, ended),
    cancelled: withoutErrors(ended, from, to),
  };
}

/**
 * Some counters have every error among the cancelled calls. A caller that gives up mostly resets its
 * stream; where the connections show hardly a reset, the calls ended with errors.
 */
function withoutErrors(cancelled: number, from: CallCount, to: CallCount): number {
  const reset = resetStreams(from, to);
  const isTold = reset !== undefined && cancelled >= FEWEST_ENDS;
  return isTold && reset < RESET_RATIO * cancelled ? reset : cancelled;
}

/**
 * Streams that were reset between two polls; `undefined` where an implementation does not tell, and
 * where the connections that were read do not speak for all calls.
 */
export function resetStreams(
  from: Pick<CallCount, "started" | "streams">,
  to: Pick<CallCount, "started" | "streams">,
): number | undefined {
  if (from.streams === undefined || to.streams === undefined) return undefined;
  const seen = to.streams.started - from.streams.started;
  if (seen < SEEN_RATIO * (to.started - from.started)) return undefined;
  return to.streams.reset - from.streams.reset;
}

/** Mean age of the calls in flight at each poll of a span, against the span's own rate of starts. */
export function agesMs(polls: readonly CallCount[], rate: Span<CallCount>): readonly number[] {
  const { started } = increase(rate.from, rate.to);
  return polls.flatMap(({ inFlight }) =>
    inFlight === undefined ? [] : (meanAgeMs(inFlight, started, rate.ms) ?? []),
  );
}
