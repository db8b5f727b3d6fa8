import { type CallCount, serverCallSeries, withoutStanding } from "./call-series.ts";
import type { AppCalls } from "./facts/app-calls.ts";
import type { Probes } from "./facts/probes.ts";
import type { ServerCalls } from "./facts/server-calls.ts";
import type { Services } from "./facts/services.ts";
import { unaryProbeSpeeds } from "./probe-speed.ts";
import { countsExpired, endsAtOneAge, isSwelling, isWaiting, meanAge } from "./storm.ts";

export type SecondSource = "mean-age" | "in-flight" | "probe" | "metrics";

/** All that may show that calls wait. */
export interface StormFacts {
  readonly serverCalls: ServerCalls | undefined;
  readonly appCalls: AppCalls | undefined;
  readonly probes: Probes | undefined;
  readonly services: Services | undefined;
  readonly timingTrusted: boolean;
  readonly usualAgeMs: number | undefined;
}

export interface StormOptions {
  readonly windowMs: number;
  readonly meanAgeMs: number;
  /** Share of the calls that were cancelled. */
  readonly ratio: number;
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
  const polls =
    serverCalls === undefined ? [] : withoutStanding(serverCallSeries(serverCalls), "streams");
  const timed: readonly (readonly [SecondSource, boolean | undefined])[] = [
    ["mean-age", showsWaiting(polls, facts, options)],
    ["in-flight", isSwelling(polls)],
    ["probe", unaryProbeSpeeds(probes)[0]?.isSlow],
  ];
  const answers = [
    ...(timingTrusted ? timed : []),
    ["metrics", metricsTell(facts, options)] as const,
  ];
  if (answers.every(([, answer]) => answer === undefined)) return undefined;
  return answers.filter(([, answer]) => answer === true).map(([name]) => name);
}

function showsWaiting(
  polls: readonly CallCount[],
  { usualAgeMs, services }: StormFacts,
  { windowMs, meanAgeMs, ratio }: StormOptions,
): boolean | undefined {
  const age = meanAge(polls, windowMs);
  const options = { limitMs: meanAgeMs, mayStream: mayStream(services), ratio };
  return age && isWaiting(age, usualAgeMs, options);
}

function metricsTell(
  { serverCalls, appCalls }: StormFacts,
  { windowMs, ratio }: StormOptions,
): boolean | undefined {
  if (appCalls === undefined) return undefined;
  const expired = serverCalls && countsExpired(appCalls, windowMs, ratio);
  const atOneAge = endsAtOneAge(appCalls, windowMs);
  return expired === true || atOneAge === true ? true : (expired ?? atOneAge);
}

/** Whether a method may hold its calls open by nature; true where the methods are not known. */
function mayStream(services: Services | undefined): boolean {
  return services?.methods?.some(({ kind }) => kind !== "unary") ?? true;
}
