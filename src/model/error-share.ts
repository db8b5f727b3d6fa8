import { type BadShare, badShare, type Outcomes, type ShareLimits } from "./bad-share.ts";
import { handledCalls, resetStreams } from "./call-series.ts";
import type { AppCalls, AppScrape } from "./facts/app-calls.ts";
import type { CallPoll, ServerCalls } from "./facts/server-calls.ts";
import { SERVER_FAULTS } from "./status.ts";

/** A share of errors as one counter has it; `none` is not high, `undefined` is not known. */
export type ErrorShare = BadShare | "none" | undefined;

export interface ErrorLimits {
  readonly usualRatio: number | undefined;
  readonly limits: ShareLimits;
}

/**
 * Channelz knows no codes, and a caller's mistake fails a call too. So what is high is a larger share
 * there, and without a usual one only nearly all calls.
 */
const WITHOUT_CODES = {
  ratio: 0.2,
  leastBad: 4,
  absoluteRatio: 0.9,
  fewRatio: 0.9,
} as const;

/** The share of calls whose code accuses the server, as the app itself counts them. */
export function errorShareOfMetrics(
  { scrapes }: AppCalls,
  { usualRatio, limits }: ErrorLimits,
): ErrorShare {
  return badShare(scrapes, faultsBetween, { usualRatio, limits });
}

/** What ended between two scrapes, and how much of it with a code that accuses the server. */
export function faultsBetween(from: AppScrape, to: AppScrape): Outcomes {
  const finished = handledCalls(to) - handledCalls(from);
  return { calls: finished, finished, bad: faultsIn(to) - faultsIn(from) };
}

function faultsIn({ handledByCode }: AppScrape): number {
  return [...SERVER_FAULTS].reduce((sum, code) => sum + (handledByCode[code] ?? 0), 0);
}

/** The share of calls that ended with an error, as channelz counts them, cancelled ones left out. */
export function errorShareOfChannelz(
  calls: ServerCalls,
  { usualRatio, limits: { windowMs } }: ErrorLimits,
): ErrorShare {
  const between = (from: CallPoll, to: CallPoll) => errorsBetween(calls, from, to);
  return badShare(calls.polls, between, { usualRatio, limits: { windowMs, ...WITHOUT_CODES } });
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
