import { meanAgeMs, type Span, type Timed } from "./counters.ts";
import type { AppCalls, AppScrape } from "./facts/app-calls.ts";
import type { ServerCalls } from "./facts/server-calls.ts";
import { STATUS_NAMES } from "./status.ts";

/** The server's calls at one moment, whoever counted them; cumulative but for `inFlight`. */
export interface CallCount extends Timed {
  readonly started: number;
  readonly finished: number;
  /** Cancelled or past their deadline, as near as the counter tells. */
  readonly cancelled: number;
  /** Absent where starts are not counted. */
  readonly inFlight?: number;
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
  return polls.map(({ at, started, succeeded, failed, cancelled, inFlight }) => ({
    at,
    started,
    finished: Math.max(succeeded + failed, started - (inFlight - first)),
    cancelled,
    inFlight,
  }));
}

/** As the app's own metrics count. */
export function appCallSeries({ scrapes }: AppCalls): readonly CallCount[] {
  return scrapes.map((scrape) => {
    const { at, started, handledByCode } = scrape;
    const finished = handledCalls(scrape);
    const { CANCELLED = 0, DEADLINE_EXCEEDED = 0 } = handledByCode;
    const counts = { at, finished, cancelled: CANCELLED + DEADLINE_EXCEEDED };
    if (started === undefined) return { ...counts, started: finished };
    return { ...counts, started, inFlight: Math.max(0, started - finished) };
  });
}

/** Calls that ended, of every code. */
export function handledCalls({ handledByCode }: AppScrape): number {
  return STATUS_NAMES.reduce((sum, name) => sum + (handledByCode[name] ?? 0), 0);
}

/** What happened between two polls. */
export function increase(
  from: CallCount,
  to: CallCount,
): Pick<CallCount, "started" | "finished" | "cancelled"> {
  const cancelled = to.cancelled - from.cancelled;
  return {
    started: to.started - from.started,
    finished: Math.max(to.finished - from.finished, cancelled),
    cancelled,
  };
}

/** Mean age of the calls in flight at each poll of a span, against the span's own rate of starts. */
export function agesMs(polls: readonly CallCount[], rate: Span<CallCount>): readonly number[] {
  const { started } = increase(rate.from, rate.to);
  return polls.flatMap(({ inFlight }) =>
    inFlight === undefined ? [] : (meanAgeMs(inFlight, started, rate.ms) ?? []),
  );
}
