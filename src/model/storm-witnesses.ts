import { serverCallSeries, tellsCancels, withoutStanding } from "./call-series.ts";
import type { AppCalls } from "./facts/app-calls.ts";
import type { Probes } from "./facts/probes.ts";
import type { ServerCalls } from "./facts/server-calls.ts";
import type { Services } from "./facts/services.ts";
import { unaryProbeSpeeds } from "./probe-speed.ts";
import {
  countsExpired,
  endsAtOneAge,
  isSwelling,
  isWaiting,
  meanAge,
  type StormRate,
} from "./storm.ts";
import { answeredSince, hadGoodCalls, likenessToStreams } from "./stream-likeness.ts";

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
  { usualAgeMs, services }: StormFacts,
  { windowMs, meanAgeMs, rate }: StormOptions,
): readonly (readonly [SecondSource, boolean | undefined])[] {
  const polls = serverCallSeries(serverCalls);
  const young = withoutStanding(polls, "streams");
  const age = meanAge(young, windowMs);
  const isSwollen = isSwelling(young);
  const isStreamed = mayStream(services);
  const likeness =
    isStreamed && usualAgeMs === undefined ? likenessToStreams(polls, age, rate) : undefined;
  if (likeness !== undefined)
    return [
      ["mean-age", likeness === "answered" ? false : undefined],
      ["in-flight", isSwollen === true && hadGoodCalls(polls) ? true : undefined],
    ];
  if (!tellsCancels(polls, rate.from))
    return [
      ["mean-age", undefined],
      ["in-flight", isSwollen === true ? true : undefined],
    ];
  const ratio = (rate.cancelled - answeredSince(polls, rate)) / rate.calls;
  const limits = { limitMs: meanAgeMs, mayStream: isStreamed, ratio };
  return [
    ["mean-age", age && isWaiting(age, usualAgeMs, limits)],
    ["in-flight", isSwollen],
  ];
}

function metricsTell(
  { serverCalls, appCalls }: StormFacts,
  { windowMs, rate }: StormOptions,
): boolean | undefined {
  if (appCalls === undefined) return undefined;
  const expired = serverCalls && countsExpired(appCalls, windowMs, rate.ratio);
  const atOneAge = endsAtOneAge(appCalls, windowMs);
  return expired === true || atOneAge === true ? true : (expired ?? atOneAge);
}

/** Whether a method may hold its calls open by nature; true where the methods are not known. */
function mayStream(services: Services | undefined): boolean {
  return services?.methods?.some(({ kind }) => kind !== "unary") ?? true;
}
