import { serverCallSeries, tellsCancels, withoutStanding } from "./call-series.ts";
import type { AppCalls } from "./facts/app-calls.ts";
import type { Probes } from "./facts/probes.ts";
import type { ServerCalls } from "./facts/server-calls.ts";
import type { Services } from "./facts/services.ts";
import { unaryProbeSpeeds } from "./probe-speed.ts";
import { isOnlyRarer, isSwelling, isWaiting, meanAge, type StormRate } from "./storm.ts";
import { countsExpired, endsAtOneAge } from "./storm-ages.ts";
import { endsNoneItself } from "./storm-timer.ts";
import {
  answeredSince,
  areStreams,
  areStreamsByMetrics,
  hadGoodCalls,
  mayBeIdleWatches,
} from "./stream-likeness.ts";

export type SecondSource = "mean-age" | "in-flight" | "probe" | "metrics";

/** All that may show that calls wait. */
export interface StormFacts {
  readonly serverCalls: ServerCalls | undefined;
  readonly appCalls: AppCalls | undefined;
  readonly probes: Probes | undefined;
  readonly services: Services | undefined;
  readonly timingTrusted: boolean;
  readonly usualAgeMs: number | undefined;
  readonly usualInFlight: number | undefined;
  readonly usualCancelledPerMinute: number | undefined;
}

export interface StormOptions {
  readonly windowMs: number;
  readonly meanAgeMs: number;
  readonly rate: StormRate;
}

/**
 * The sources that show calls waiting beside the cancels themselves; `undefined` where none can tell.
 *
 * Where metrics are the only counter, calls in flight and codes would be the same witness twice: then
 * only the histogram and a probe speak.
 */
export function secondSources(
  facts: StormFacts,
  options: StormOptions,
): readonly SecondSource[] | undefined {
  const { serverCalls, probes, timingTrusted } = facts;
  const timed: readonly (readonly [SecondSource, boolean | undefined])[] = [
    ...(serverCalls === undefined ? [] : inFlightTells(serverCalls, facts, options)),
    ["probe", unaryProbeSpeeds(probes)[0]?.isSlow],
  ];
  const answers = [
    ...(timingTrusted ? timed : []),
    ["metrics", metricsTell(facts, options)] as const,
  ];
  if (answers.every(([, answer]) => answer === undefined)) return undefined;
  return answers.filter(([, answer]) => answer === true).map(([name]) => name);
}

/** What the calls in flight tell, by their age and by their number. */
function inFlightTells(
  serverCalls: ServerCalls,
  facts: StormFacts,
  { windowMs, meanAgeMs, rate }: StormOptions,
): readonly (readonly [SecondSource, boolean | undefined])[] {
  const polls = serverCallSeries(serverCalls);
  const young = withoutStanding(polls, "streams");
  const age = meanAge(young, windowMs);
  const isSwollen = isSwelling(young);
  const { usualAgeMs } = facts;
  const isStreamed = mayStream(facts.services);
  const areAnswered =
    areStreams(polls, rate) || streamsByMetrics(facts.appCalls, windowMs) === true;
  const isNew = isStreamed && usualAgeMs === undefined;
  if (areAnswered || (isNew && mayBeIdleWatches(polls, age, rate)))
    return [
      ["mean-age", areAnswered ? false : undefined],
      ["in-flight", ifTrue(isSwollen === true && hadGoodCalls(polls))],
    ];
  if (!tellsCancels(polls, rate.from))
    return [
      ["mean-age", undefined],
      ["in-flight", ifTrue(isSwollen)],
    ];
  const ratio = (rate.cancelled - answeredSince(polls, rate)) / rate.calls;
  const isUntimed = endsNoneItself(serverCalls) === true;
  const limits = {
    limitMs: meanAgeMs,
    mayStream: isStreamed,
    isOnlyRarer: isOnlyRarer(rate, young.at(-1), {
      inFlight: facts.usualInFlight,
      perMinute: facts.usualCancelledPerMinute,
    }),
    ratio,
    isUntimed,
  };
  return [
    ["mean-age", age && isWaiting(age, usualAgeMs, limits)],
    ["in-flight", isSwollen],
  ];
}

/** What may speak for a storm here, and cannot against one. */
function ifTrue(answer: boolean | undefined): true | undefined {
  return answer === true ? true : undefined;
}

function streamsByMetrics(appCalls: StormFacts["appCalls"], windowMs: number): boolean | undefined {
  return appCalls && areStreamsByMetrics(appCalls, windowMs);
}

function metricsTell(
  { serverCalls, appCalls }: StormFacts,
  { windowMs, rate }: StormOptions,
): boolean | undefined {
  if (appCalls === undefined) return undefined;
  const areAnswered =
    streamsByMetrics(appCalls, windowMs) ??
    (serverCalls && areStreams(serverCallSeries(serverCalls), rate));
  if (areAnswered === true) return false;
  const expired = serverCalls && countsExpired(appCalls, windowMs, rate.ratio);
  const atOneAge = endsAtOneAge(appCalls, windowMs);
  return expired === true || atOneAge === true ? true : (expired ?? atOneAge);
}

/** Whether a method may hold its calls open by nature; true where the methods are not known. */
function mayStream(services: Services | undefined): boolean {
  return services?.methods?.some(({ kind }) => kind !== "unary") ?? true;
}
