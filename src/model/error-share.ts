import { type BadShare, badShare, type Outcomes, type ShareLimits } from "./bad-share.ts";
import { handledCalls, resetStreams } from "./call-series.ts";
import { wholeSpan } from "./counters.ts";
import type { AppCalls, AppScrape } from "./facts/app-calls.ts";
import type { CallPoll, ServerCalls } from "./facts/server-calls.ts";
import { SERVER_FAULTS, type StatusName } from "./status.ts";
import type { Instant } from "./time.ts";

/** A share of errors as one counter has it; `none` is not high, `undefined` is not known. */
export type ErrorShare = BadShare | "none" | undefined;

export interface ErrorLimits {
  readonly usualRatio: number | undefined;
  readonly limits: ShareLimits;
}

/** Without codes, the share from which callers' mistakes are no likely explanation any more. */
export const NEARLY_ALL = 0.9;

/**
 * Channelz knows no codes, and a caller's mistake fails a call too. So what is high is a larger share
 * there, and without a usual one only nearly all calls.
 */
const WITHOUT_CODES = {
  ratio: 0.2,
  leastBad: 10,
  absoluteRatio: NEARLY_ALL,
  fewRatio: NEARLY_ALL,
} as const;

/**
 * Errors of one poll's time, or of two where they lie across its end, are one event: a scanner that asks
 * for what no server has. What is wrong with the server goes on.
 */
const LEAST_POLLS = 3;

/** Scrapes and polls are not of one moment, and a stream may come and go between two polls. */
const LEFT_RATIO = 0.75;

/** What a server refuses on purpose as well: a quota, a rate limit. */
const REFUSAL: StatusName = "RESOURCE_EXHAUSTED";

/**
 * The share of calls whose code accuses the server, as the app itself counts them; `none` also for one
 * event that is over, and `undefined` while nobody has called since.
 */
export function errorShareOfMetrics(
  { scrapes }: AppCalls,
  { usualRatio, limits }: ErrorLimits,
  accused: ReadonlySet<StatusName>,
): ErrorShare {
  const between = (from: AppScrape, to: AppScrape) => faultsBetween(from, to, accused);
  const share = badShare(scrapes, between, { usualRatio, limits });
  if (share === undefined) return areAllExcused(scrapes) ? "none" : undefined;
  if (share === "none") return share;
  const during = scrapes.slice(scrapes.findIndex(({ at }) => at === share.from));
  const gaps = during.slice(1).flatMap((to, index) => {
    const from = during[index];
    return from === undefined ? [] : [between(from, to)];
  });
  const newest = gaps.at(-1);
  if (newest === undefined || newest.bad > 0) return share;
  if (gaps.filter(({ bad }) => bad > 0).length >= LEAST_POLLS) return share;
  return newest.finished > 0 ? "none" : undefined;
}

/** Calls ended, and none of them may accuse: that is known, and no less than calls that ended well. */
function areAllExcused(scrapes: AppCalls["scrapes"]): boolean {
  const span = wholeSpan(scrapes);
  if (span === undefined) return false;
  const { finished } = faultsBetween(span.from, span.to);
  return finished === 0 && excusedIn(span.to) > excusedIn(span.from);
}

/** True if the share is high only by calls that the server may have refused on purpose. */
export function isOfRefusals(
  calls: AppCalls,
  errorLimits: ErrorLimits,
  accused: ReadonlySet<StatusName>,
): boolean {
  const certain = new Set([...accused].filter((code) => code !== REFUSAL));
  const share = errorShareOfMetrics(calls, errorLimits, certain);
  return share === undefined || share === "none";
}

/**
 * The codes that accuse the server, with what channelz knows of how calls ended. A caller that gives up
 * resets its call: where nearly all ended with errors instead, DEADLINE_EXCEEDED is the server's own
 * word. And where a call that went with its connection is no failed one for channelz, the app's metrics
 * may call it UNAVAILABLE; elsewhere the streams that went with their connections are counted.
 */
export function accusedCodes(
  byMetrics: ErrorShare,
  counters: {
    readonly appCalls: AppCalls | undefined;
    readonly serverCalls: ServerCalls | undefined;
  },
  byChannelz: ErrorShare,
): ReadonlySet<StatusName> {
  if (byChannelz !== undefined && byChannelz !== "none") return WITH_DEADLINES;
  const { appCalls, serverCalls } = counters;
  if (byMetrics === undefined || byMetrics === "none") return SERVER_FAULTS;
  if (appCalls === undefined || serverCalls === undefined) return SERVER_FAULTS;
  const wentWithConnections =
    serverCalls.failsByErrorOnly === true
      ? polledSince(serverCalls, byMetrics.from, "failed") < byMetrics.bad / 2
      : areLeft(appCalls, serverCalls, byMetrics.from);
  return wentWithConnections ? WITHOUT_CONNECTIONS : SERVER_FAULTS;
}

const WITH_DEADLINES = new Set<StatusName>([...SERVER_FAULTS, "DEADLINE_EXCEEDED"]);
const WITHOUT_CONNECTIONS = new Set([...SERVER_FAULTS].filter((code) => code !== "UNAVAILABLE"));

function polledSince({ polls }: ServerCalls, at: Instant, what: "failed" | "left"): number {
  const from = polls.findLast((poll) => poll.at <= at) ?? polls[0];
  return (polls.at(-1)?.[what] ?? 0) - (from?.[what] ?? 0);
}

/**
 * Whether nearly all that is UNAVAILABLE were streams that talked until their client closed the
 * connection. Those of the ones that went so which the metrics have as CANCELLED explain nothing.
 */
function areLeft({ scrapes }: AppCalls, calls: ServerCalls, since: Instant): boolean {
  const from = scrapes.find(({ at }) => at >= since);
  const to = scrapes.at(-1);
  if (from === undefined || to === undefined) return false;
  const unavailable = accusingCalls(to, "UNAVAILABLE") - accusingCalls(from, "UNAVAILABLE");
  const cancelled = accusingCalls(to, "CANCELLED") - accusingCalls(from, "CANCELLED");
  const left = polledSince(calls, since, "left") - cancelled;
  return unavailable > 0 && left >= LEFT_RATIO * unavailable;
}

/** What ended between two scrapes, and how much of it with a code that accuses the server. */
export function faultsBetween(
  from: AppScrape,
  to: AppScrape,
  accused: ReadonlySet<StatusName> = SERVER_FAULTS,
): Outcomes {
  const excused = excusedIn(to) - excusedIn(from);
  const finished = handledCalls(to) - handledCalls(from) - excused;
  return { calls: finished, finished, bad: faultsIn(to, accused) - faultsIn(from, accused) };
}

/** Calls of one code that accuse the server. */
export function accusingCalls(scrape: AppScrape, code: StatusName): number {
  return (scrape.handledByCode[code] ?? 0) - (code === "UNAVAILABLE" ? answeredIn(scrape) : 0);
}

function faultsIn(scrape: AppScrape, codes: ReadonlySet<StatusName>): number {
  return [...codes].reduce((sum, code) => sum + accusingCalls(scrape, code), 0);
}

/** Beside those: what a load balancer, a scanner or we ourselves asked for and nobody registered. */
function excusedIn(scrape: AppScrape): number {
  return (scrape.unregistered ?? 0) + answeredIn(scrape);
}

/** Streams that had their answers before they ended with their connection, or with the word to open them anew. */
function answeredIn({ answered }: AppScrape): number {
  return answered?.UNAVAILABLE ?? 0;
}

/**
 * The share of calls that ended with an error, as channelz counts them, cancelled ones left out;
 * `undefined` also while it may be one event that is over, or the begin of more.
 */
export function errorShareOfChannelz(
  calls: ServerCalls,
  { usualRatio, limits: { windowMs } }: ErrorLimits,
): ErrorShare {
  const between = (from: CallPoll, to: CallPoll) => errorsBetween(calls, from, to);
  const limits = { windowMs, ...WITHOUT_CODES };
  const share = badShare(calls.polls, between, { usualRatio, limits });
  if (share === undefined || share === "none") return share;
  const bad = pollsWithErrors(calls, share.from);
  if (bad.length >= LEAST_POLLS) return share;
  return bad.some((poll) => calls.polls.slice(-LEAST_POLLS).includes(poll)) ? undefined : "none";
}

/** The polls that found errors since then, or of the newest few where that is not so far back. */
function pollsWithErrors(calls: ServerCalls, since: Instant): readonly CallPoll[] {
  const { polls } = calls;
  const first = polls.findIndex(({ at }) => at >= since);
  const from = Math.max(0, Math.min(first, polls.length - 1 - LEAST_POLLS));
  return polls.slice(from + 1).filter((poll, index) => {
    const before = polls[from + index];
    return (
      before !== undefined &&
      (errorsBetween(calls, before, poll)?.bad ?? poll.failed - before.failed) > 0
    );
  });
}

/**
 * What ended between two polls, and how much of it with an error; `undefined` where cancels hide it.
 * Calls whose client died, or left, ended with their connection: they failed, and accuse nobody.
 */
export function errorsBetween(
  { failsByErrorOnly }: ServerCalls,
  from: CallPoll,
  to: CallPoll,
): Outcomes | undefined {
  const failed = to.failed - from.failed;
  const finished = failed + to.succeeded - from.succeeded;
  if (failsByErrorOnly === true) return { calls: finished, finished, bad: failed };
  const reset = resetStreams(from, to);
  if (reset === undefined) return undefined;
  const left = Math.min(failed, endedUnseen(from, to, finished));
  const known = finished - left;
  return { calls: known, finished: known, bad: Math.max(0, failed - reset - left) };
}

/** Calls that ended though no connection has counted the end of a stream: theirs was gone by then. */
function endedUnseen(from: CallPoll, to: CallPoll, finished: number): number {
  if (from.ended === undefined || to.ended === undefined) return 0;
  return Math.max(0, finished - (to.ended - from.ended));
}
