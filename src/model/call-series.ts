import { meanAgeMs, type Span, type Timed } from "./counters.ts";
import type { AppCalls, AppScrape } from "./facts/app-calls.ts";
import type { CallPoll, ServerCalls } from "./facts/server-calls.ts";
import { present } from "./present.ts";
import { STATUS_NAMES } from "./status.ts";

/**
 * The server's own deadline and the caller's reset race each other: measured, at least a fifth of the
 * calls past their deadline are reset (Go client, grpc-js server), and none of those that end with an
 * error. Of few calls none may be reset by chance; then the next ones tell.
 */
const RESET_RATIO = 0.05;
/** What the connections that were read must have begun of all calls, to speak for each of them. */
const SEEN_RATIO = 0.9;
/** So many streams are a sample of all. */
const FEWEST_SEEN = 20;

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
  /** Of the cancelled ones, the streams on which more was said than a request, at most. */
  readonly answered?: number;
  /** What the server said on streams: its messages beyond one for each stream that succeeded. */
  readonly spoken?: number;
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
    ...present({ standing: poll.standing, streams: poll.streams }),
    ...present({ answered: poll.answered, spoken: poll.spoken }),
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

/**
 * As the app's own metrics count. Where they know what is in flight and not what was started, it was
 * what ended and what runs now; what runs was read a moment before, so the sum may lie above.
 */
export function appCallSeries({ scrapes }: AppCalls): readonly CallCount[] {
  let most = 0;
  return scrapes.map((scrape) => {
    const { at, started, inFlight, handledByCode } = scrape;
    const finished = handledCalls(scrape);
    const { CANCELLED = 0, DEADLINE_EXCEEDED = 0 } = handledByCode;
    const answered = scrape.answered && answeredOf(scrape.answered);
    const counts = {
      at,
      finished,
      cancelled: CANCELLED + DEADLINE_EXCEEDED,
      ...present({ answered }),
    };
    most = Math.max(most, started ?? finished + (inFlight ?? 0));
    if (started === undefined) return { ...counts, started: most, ...present({ inFlight }) };
    return { ...counts, started, inFlight: inFlight ?? Math.max(0, started - finished) };
  });
}

function answeredOf({ CANCELLED = 0, DEADLINE_EXCEEDED = 0 }: AppScrape["handledByCode"]): number {
  return CANCELLED + DEADLINE_EXCEEDED;
}

/** Calls that ended, of every code. */
export function handledCalls({ handledByCode }: Pick<AppScrape, "handledByCode">): number {
  return STATUS_NAMES.reduce((sum, name) => sum + (handledByCode[name] ?? 0), 0);
}

/**
 * What happened between two polls. Where few streams were seen between them, those since `oldest` tell
 * how many are reset.
 */
export function increase(
  from: CallCount,
  to: CallCount,
  oldest: CallCount = from,
): Pick<CallCount, "started" | "finished" | "cancelled"> {
  const ended = to.cancelled - from.cancelled;
  const started = to.started - from.started;
  return {
    started,
    finished: Math.max(to.finished - from.finished, ended),
    cancelled: withoutErrors({ started, ended }, sampleOf(from, to) ?? sampleOf(oldest, to)),
  };
}

/**
 * Some counters have every error among the cancelled calls. A caller that gives up mostly resets its
 * stream; where the connections show hardly a reset, the calls ended with errors.
 */
function withoutErrors(
  { started, ended }: { readonly started: number; readonly ended: number },
  sample: Streams | undefined,
): number {
  if (sample === undefined) return ended;
  const reset = sample.reset * Math.max(1, started / sample.started);
  return reset < RESET_RATIO * ended ? reset : ended;
}

/**
 * False where every error counts as cancelled, and too few connections could be read to tell them
 * apart: those of callers that open one for each call are gone before.
 */
export function tellsCancels(polls: readonly CallCount[], fromAt: number): boolean {
  const from = polls.find(({ at }) => at === fromAt);
  const [oldest] = polls;
  const to = polls.at(-1);
  if (from === undefined || oldest === undefined || to?.streams === undefined) return true;
  return (sampleOf(from, to) ?? sampleOf(oldest, to)) !== undefined;
}

type Streams = NonNullable<CallCount["streams"]>;

function seenStreams(
  from: Pick<CallCount, "streams">,
  to: Pick<CallCount, "streams">,
): Streams | undefined {
  if (from.streams === undefined || to.streams === undefined) return undefined;
  const started = to.streams.started - from.streams.started;
  return { started, reset: to.streams.reset - from.streams.reset };
}

/** What the connections that were read tell of all calls between two polls. */
function sampleOf(from: CallCount, to: CallCount): Streams | undefined {
  const seen = seenStreams(from, to);
  if (seen === undefined || seen.started === 0) return undefined;
  const isEnough =
    seen.started >= FEWEST_SEEN || seen.started >= SEEN_RATIO * (to.started - from.started);
  return isEnough ? seen : undefined;
}

/**
 * Streams that were reset between two polls; `undefined` where an implementation does not tell, and
 * where the connections that were read do not speak for all calls.
 */
export function resetStreams(
  from: Pick<CallCount, "started" | "streams">,
  to: Pick<CallCount, "started" | "streams">,
): number | undefined {
  const seen = seenStreams(from, to);
  if (seen === undefined || seen.started < SEEN_RATIO * (to.started - from.started))
    return undefined;
  return seen.reset;
}

/** Mean age of the calls in flight at each poll of a span, against the span's own rate of starts. */
export function agesMs(polls: readonly CallCount[], rate: Span<CallCount>): readonly number[] {
  const { started } = increase(rate.from, rate.to);
  return polls.flatMap(({ inFlight }) =>
    inFlight === undefined ? [] : (meanAgeMs(inFlight, started, rate.ms) ?? []),
  );
}
