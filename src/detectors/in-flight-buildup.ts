import { type Buildup, buildupOf, isRisingFor, standstillOf } from "../model/buildup.ts";
import {
  appCallSeries,
  type CallCount,
  callSeries,
  withoutStanding,
} from "../model/call-series.ts";
import { lastPolls, lastWindow, type Span, wholeSpan } from "../model/counters.ts";
import { swellingDependency } from "../model/dependencies.ts";
import { durationText } from "../model/duration-text.ts";
import type { AppCalls } from "../model/facts/app-calls.ts";
import type { Channels } from "../model/facts/channels.ts";
import type { Probes } from "../model/facts/probes.ts";
import type { ServerCalls } from "../model/facts/server-calls.ts";
import type { Services } from "../model/facts/services.ts";
import type { Symptom } from "../model/finding.ts";
import { unaryProbeSpeeds } from "../model/probe-speed.ts";
import type { Witness } from "../model/source-name.ts";
import { appFrozen } from "./app-frozen.ts";
import { deadlineStorm } from "./deadline-storm.ts";
import { defineDetector } from "./detector.ts";
import { dnsStale } from "./dns-stale.ts";
import { WIRE } from "./root-causes.ts";
import { streamExhaustion } from "./stream-exhaustion.ts";

/** Less says nothing about what ends and what does not. */
const LEAST_MS = 60_000;

/**
 * Calls are started and do not end: handlers that wait for what never comes.
 *
 * A line through the calls in flight tells it from load that ends as fast as it comes: there completions
 * rise too, and in flight settles at rate times latency (Little's law), which is slow and not stuck.
 */
export const inFlightBuildup = defineDetector({
  code: "in-flight-buildup",
  title: "Calls are started and do not end",
  layer: "handler",
  severity: "critical",
  remedy:
    "Look for handlers that never end: locks, an exhausted pool, a call without deadline. Java: thread dump of the executor; Go: goroutine profile; Node: a promise that never settles.",
  lacks:
    "a minute of calls in flight (three where none of them ends), and then methods that are all unary or a unary probe",
  holdMs: 0,
  clearAfterMs: 120_000,
  limits: {
    window: {
      unit: "ms",
      default: 180_000,
      min: 60_000,
      max: 600_000,
      says: "How long calls in flight must rise",
    },
    minInFlight: {
      unit: "count",
      default: 20,
      min: 1,
      max: 1_000_000,
      says: "Calls in flight below which a rise says nothing",
    },
    critical: {
      unit: "ms",
      default: 300_000,
      min: 60_000,
      max: 600_000,
      says: "How long they must rise in a line to be critical, where a second source agrees",
    },
  },
  needs: [],
  uses: ["serverCalls", "appCalls", "probes", "services", "channels"],
  needsAny: ["serverCalls", "appCalls"],
  causes: [appFrozen, deadlineStorm],
  dependencyCauses: [...WIRE, dnsStale, streamExhaustion, deadlineStorm],
  learns: {
    inFlight: (facts) => {
      const [newest, previous] = seriesOf(facts).toReversed();
      if (newest?.inFlight === undefined || previous === undefined) return undefined;
      const started = newest.started - previous.started;
      return started > 0 ? { value: newest.inFlight, weight: started } : undefined;
    },
    finishedPerMinute: (facts) => {
      const series = callSeries(facts);
      const minute = lastWindow(series, LEAST_MS);
      const newest = lastPolls(series, 2);
      if (minute === undefined || newest === undefined) return undefined;
      const value = (finishedIn(minute) * LEAST_MS) / minute.ms;
      return { value, weight: finishedIn(newest) };
    },
  },

  detect(view, limits) {
    const series = seriesOf(view);
    if (lastWindow(series, LEAST_MS)?.from.inFlight === undefined) return undefined;
    const usual = view.usual.inFlight?.mean;
    const finishedPerMinute = view.usual.finishedPerMinute?.mean;
    const mayStream = endsByNature(view) !== true;
    const rising =
      usual === undefined
        ? undefined
        : buildupOf(series, { inFlight: usual, finishedPerMinute, mayStream }, limits);
    const found = rising ?? stuck(view, series, limits);
    if (found === undefined) return undefined;
    return found === "none" ? [] : [symptomOf(view, found, { usual, ...limits })];
  },
});

/** Many calls, of which none has ended in all that was seen: whether they ever do, nobody knows yet. */
function isSeenTooBriefly(
  series: readonly CallCount[],
  { window, minInFlight }: { readonly window: number; readonly minInFlight: number },
): boolean {
  const span = wholeSpan(series);
  if (span === undefined || finishedIn(span) > 0 || span.to.finished > 0) return false;
  return span.ms < window && (span.to.inFlight ?? 0) >= minInFlight;
}

interface Seen {
  readonly serverCalls: ServerCalls | undefined;
  readonly appCalls: AppCalls | undefined;
  readonly probes: Probes | undefined;
  readonly services: Services | undefined;
  readonly channels: Channels | undefined;
}

function finishedIn({ from, to }: Span<CallCount>): number {
  return to.finished - from.finished;
}

/** Streams that stand are no calls that ought to end; where calls ought to, one each may be a watch. */
function seriesOf(seen: Pick<Seen, "serverCalls" | "appCalls" | "services" | "probes">) {
  return withoutStanding(callSeries(seen), endsByNature(seen) === true ? "connections" : "streams");
}

function symptomOf(
  seen: Seen,
  found: Buildup,
  { usual, critical }: { readonly usual: number | undefined; readonly critical: number },
): Symptom {
  const { inFlight, slopePerMinute, rSquared, startedPerMinute, finishedPerMinute, ms } = found;
  const witnesses = witnessesOf(seen, critical);
  const isEstimated = seen.serverCalls?.polls.at(-1)?.isEstimated === true;
  const isSure = witnesses.length > 1 && !isEstimated && isRisingFor(seriesOf(seen), critical);
  const dependency = swellingDependency(seen.channels, found.since, found.growth);
  return {
    subject: {},
    severity: isSure ? "critical" : "warning",
    witnesses,
    summary: `${inFlight} calls are in flight, ${Math.round(slopePerMinute)} more every minute for ${durationText(ms)}: ${Math.round(startedPerMinute)} a minute start and ${Math.round(finishedPerMinute)} end`,
    evidence: {
      inFlight,
      slopePerMinute,
      rSquared,
      startedPerMinute,
      finishedPerMinute,
      risingSeconds: ms / 1000,
      ...(usual === undefined ? {} : { baselineInFlight: usual }),
      ...(dependency === undefined ? {} : { dependency }),
    },
  };
}

/**
 * The absolute twin, which needs no baseline. `undefined`: nothing ends, and nobody tells whether it
 * ever should, as streams may be open for hours.
 */
function stuck(
  seen: Seen,
  series: readonly CallCount[],
  limits: { readonly window: number; readonly minInFlight: number },
): Buildup | "none" | undefined {
  const standing = standstillOf(series, limits.window);
  if (standing === undefined) return isSeenTooBriefly(series, limits) ? undefined : "none";
  const shouldEnd = endsByNature(seen);
  if (shouldEnd === undefined) return undefined;
  return shouldEnd ? standing : "none";
}

/**
 * Whether calls should have ended by now: all methods are unary, or a unary probe waits as well; false
 * where one does not. `undefined` where methods may stream, or are not known, and no unary probe tells.
 */
function endsByNature({
  services,
  probes,
}: Pick<Seen, "services" | "probes">): boolean | undefined {
  const methods = services?.methods ?? [];
  const [probe] = unaryProbeSpeeds(probes);
  if (probe?.isSlow === true) return true;
  if (methods.length > 0 && methods.every(({ kind }) => kind === "unary")) return true;
  return probe === undefined ? undefined : false;
}

function witnessesOf(
  { serverCalls, appCalls, probes }: Seen,
  criticalMs: number,
): readonly [Witness, ...Witness[]] {
  const isProbed = unaryProbeSpeeds(probes).some(({ isSlow, isFailing }) => isSlow || isFailing);
  const probe: readonly Witness[] = isProbed ? ["probe"] : [];
  if (serverCalls === undefined) return ["metrics", ...probe];
  const agrees = appCalls !== undefined && isRisingFor(appCallSeries(appCalls), criticalMs);
  return ["channelz", ...probe, ...(agrees ? (["metrics"] as const) : [])];
}
