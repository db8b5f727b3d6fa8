import { type CallCount, callSeries, increase, withoutStanding } from "../model/call-series.ts";
import { lastPolls, lastWindow } from "../model/counters.ts";
import { failingDependency } from "../model/dependencies.ts";
import { durationText } from "../model/duration-text.ts";
import type { AppCalls } from "../model/facts/app-calls.ts";
import type { Channels } from "../model/facts/channels.ts";
import type { Probes } from "../model/facts/probes.ts";
import type { CancelledAs, ServerCalls } from "../model/facts/server-calls.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import { unaryProbeSpeeds } from "../model/probe-speed.ts";
import type { Witness } from "../model/source-name.ts";
import { meanAge, type StormRate, stormRate } from "../model/storm.ts";
import { type SecondSource, secondSources } from "../model/storm-witnesses.ts";
import { appFrozen } from "./app-frozen.ts";
import { defineDetector } from "./detector.ts";
import { dnsStale } from "./dns-stale.ts";
import { WIRE } from "./root-causes.ts";
import { streamExhaustion } from "./stream-exhaustion.ts";

/** What is usual is learnt over the window that the contract fixes, whatever is configured. */
const LEARN_WINDOW_MS = 60_000;

/** How long before the storm a dependency may have begun to fail. */
const EARLIER_MS = 30_000;

/** What a cancelled call is, by what the server counts. */
const COUNTED: Readonly<Record<CancelledAs, string>> = {
  "failed-calls": "calls that ended with any status but OK",
  "failed-streams": "streams that were reset",
  "streams-beyond-calls": "streams that were reset, without refused methods",
};
const COUNTED_SOMEHOW = "calls that were cancelled, as near as the server tells";
const COUNTED_BY_METRICS = "calls that ended CANCELLED or DEADLINE_EXCEEDED";

/**
 * Calls run past their callers' deadlines.
 *
 * The server mostly sees a cancel, as the client's reset comes first, and users cancel too. So the
 * share of cancelled calls only opens the case, and something else must show that calls *wait*: their
 * mean age by Little's law, ever more of them in flight, a slow unary probe, or the app's own metrics.
 * Metrics that say OK are no veto: a handler that ignores its context ends with OK for nobody.
 *
 * Source: gRPC "Deadlines" guide; measured shapes of a call past its deadline in five implementations.
 */
export const deadlineStorm = defineDetector({
  code: "deadline-storm",
  title: "Calls run past their callers' deadlines",
  layer: "handler",
  severity: "critical",
  remedy:
    "Follow the slow part: the dependency that is named, else a profile of the handler. Shed load, and stop work when the deadline has passed.",
  lacks:
    "two polls between which calls ended, and a witness that calls wait: their age where no method may stream or after 10 min and 200 calls, a unary probe, or the app's metrics",
  holdMs: 20_000,
  clearAfterMs: 180_000,
  limits: {
    window: {
      unit: "ms",
      default: 60_000,
      min: 20_000,
      max: 300_000,
      says: "How far back calls are counted",
    },
    ratio: {
      unit: "ratio",
      default: 0.05,
      min: 0.001,
      max: 1,
      says: "Share of cancelled calls that is a storm where it is also three times the usual one",
    },
    minFailed: {
      unit: "count",
      default: 20,
      min: 1,
      max: 100_000,
      says: "Cancelled calls in the window below which that share says nothing",
    },
    absoluteRatio: {
      unit: "ratio",
      default: 0.2,
      min: 0.01,
      max: 1,
      says: "Share of at least 20 calls that is a storm whatever is usual",
    },
    meanAge: {
      unit: "ms",
      default: 1000,
      min: 10,
      max: 60_000,
      says: "Mean age of the calls in flight that is waiting, whatever is usual",
    },
  },
  needs: [],
  uses: ["serverCalls", "appCalls", "probes", "channels", "services"],
  needsAny: ["serverCalls", "appCalls"],
  causes: [appFrozen, streamExhaustion],
  dependencyCauses: [...WIRE, dnsStale, streamExhaustion],
  learns: {
    cancelRatio: (facts) => {
      const rate = newestRate(facts);
      return rate && { value: rate.cancelled / rate.started, weight: rate.started };
    },
    inFlight: (facts) => {
      const rate = newestRate(facts);
      const inFlight = withoutStanding(callSeries(facts), "streams").at(-1)?.inFlight;
      return rate && inFlight !== undefined ? { value: inFlight, weight: rate.started } : undefined;
    },
    cancelledPerMinute: (facts) => {
      const rate = newestRate(facts);
      const minute = lastWindow(callSeries(facts), LEARN_WINDOW_MS);
      if (rate === undefined || minute === undefined) return undefined;
      const { cancelled } = increase(minute.from, minute.to);
      return { value: (cancelled * LEARN_WINDOW_MS) / minute.ms, weight: rate.started };
    },
    meanAge: (facts) => {
      const rate = newestRate(facts);
      const age = meanAge(withoutStanding(callSeries(facts), "streams"), LEARN_WINDOW_MS);
      return rate && age && { value: age.ms, weight: rate.started };
    },
  },

  detect(view, limits) {
    const { cancelRatio, meanAge: usualAge, inFlight, cancelledPerMinute } = view.usual;
    const rate = stormRate(callSeries(view), cancelRatio?.mean, limits);
    if (rate === undefined) return undefined;
    if (rate === "none") return [];
    const second = secondSources(
      {
        ...view,
        usualAgeMs: usualAge?.mean,
        usualInFlight: inFlight?.mean,
        usualCancelledPerMinute: cancelledPerMinute?.mean,
      },
      { windowMs: limits.window, meanAgeMs: limits.meanAge, rate },
    );
    if (second === undefined) return undefined;
    const storm = { rate, second, usualRatio: cancelRatio?.mean, windowMs: limits.window };
    return second.length === 0 ? [] : [symptomOf(view, storm)];
  },
});

interface Seen extends Counters {
  readonly probes: Probes | undefined;
  readonly channels: Channels | undefined;
}

interface Counters {
  readonly serverCalls: ServerCalls | undefined;
  readonly appCalls: AppCalls | undefined;
}

interface Storm {
  readonly rate: StormRate;
  readonly second: readonly SecondSource[];
  readonly usualRatio: number | undefined;
  readonly windowMs: number;
}

function symptomOf(seen: Seen, { rate, second, usualRatio, windowMs }: Storm): Symptom {
  const { serverCalls, channels, probes } = seen;
  const dependency = failingDependency(channels, rate.from - EARLIER_MS, rate.ratio);
  const place = placeOf(probes, dependency?.upstream);
  const counter = serverCalls === undefined ? "metrics" : "channelz";
  const others = otherWitnesses(counter, second, place);
  return {
    subject: {},
    severity: others.length > 0 ? "critical" : "warning",
    witnesses: [counter, ...others],
    summary: summaryOf(rate, place),
    evidence: {
      ...rateEvidence(rate, usualRatio),
      ...ageEvidence(callSeries(seen), windowMs),
      ...probeEvidence(probes),
      ...place,
      ...countedEvidence(serverCalls),
      secondSource: second,
    },
  };
}

/** What the newest poll added, for the baselines; `undefined` while nothing starts. */
function newestRate(counters: Counters): ReturnType<typeof increase> | undefined {
  const newest = lastPolls(callSeries(counters), 2);
  const rate = newest && increase(newest.from, newest.to);
  return rate !== undefined && rate.started > 0 ? rate : undefined;
}

/** Witnesses beside the counter: what makes it critical. */
function otherWitnesses(
  counter: Witness,
  second: readonly SecondSource[],
  { dependency }: Place,
): readonly Witness[] {
  const seen: readonly Witness[] = [
    ...second.filter((name) => name === "probe" || name === "metrics"),
    ...(dependency === undefined ? [] : (["channelz-client"] as const)),
  ];
  return seen.filter((witness) => witness !== counter);
}

interface Place {
  readonly where?: "handler" | "dependency" | "outside";
  readonly dependency?: string;
}

/** Where the time goes: to a dependency, in the handler (a probe is slow too), or before the server. */
function placeOf(probes: Probes | undefined, dependency: string | undefined): Place {
  if (dependency !== undefined) return { where: "dependency", dependency };
  const [slowest] = unaryProbeSpeeds(probes);
  return slowest === undefined ? {} : { where: slowest.isSlow ? "handler" : "outside" };
}

const PLACES: Readonly<Record<NonNullable<Place["where"]>, string>> = {
  handler: "; the agent's own probe is slow as well, so the handler is",
  dependency: "; its calls fail there alike, so look at ",
  outside: "; the agent's own probe is fast, so look at the callers' side and the network",
};

function summaryOf({ cancelled, calls, ms }: StormRate, { where, dependency = "" }: Place): string {
  const share = Math.round((100 * cancelled) / calls);
  const place = where === undefined ? "" : `${PLACES[where]}${dependency}`;
  return `${cancelled} of ${calls} calls (${share} %) were cancelled or ran past their deadline in ${durationText(ms)}${place}`;
}

function countedEvidence(calls: ServerCalls | undefined): Evidence {
  if (calls === undefined) return { counted: COUNTED_BY_METRICS };
  const { implementation, cancelledAs } = calls;
  return { counted: cancelledAs ? COUNTED[cancelledAs] : COUNTED_SOMEHOW, implementation };
}

function rateEvidence(rate: StormRate, usual: number | undefined): Evidence {
  const { cancelled, calls, ratio, ms } = rate;
  return {
    cancelled,
    calls,
    ratio,
    windowSeconds: ms / 1000,
    ...(usual === undefined ? {} : { baselineRatio: usual }),
  };
}

function ageEvidence(series: readonly CallCount[], windowMs: number): Evidence {
  const inFlight = series.at(-1)?.inFlight;
  const age = meanAge(withoutStanding(series, "streams"), windowMs);
  return {
    ...(inFlight === undefined ? {} : { inFlight }),
    ...(age === undefined ? {} : { meanAgeMs: age.ms }),
    ...(age?.variation === undefined ? {} : { meanAgeCv: age.variation }),
  };
}

function probeEvidence(probes: Probes | undefined): Evidence {
  const [slowest] = unaryProbeSpeeds(probes);
  if (slowest === undefined) return {};
  const { probe, ms, deadlineMs } = slowest;
  return { probe, probeMs: ms, deadlineMs };
}
