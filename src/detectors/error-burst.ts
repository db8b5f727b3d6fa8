import type { BadShare, ShareLimits } from "../model/bad-share.ts";
import type { Baseline, Sample } from "../model/baseline.ts";
import { serverCallSeries, withoutStanding } from "../model/call-series.ts";
import { lastPolls } from "../model/counters.ts";
import { failingDependency } from "../model/dependencies.ts";
import { durationText } from "../model/duration-text.ts";
import {
  accusedCodes,
  accusingCalls,
  type ErrorShare,
  errorShareOfChannelz,
  errorShareOfMetrics,
  errorsBetween,
  faultsBetween,
  isOfRefusals,
  NEARLY_ALL,
} from "../model/error-share.ts";
import type { AppCalls } from "../model/facts/app-calls.ts";
import type { Facts } from "../model/facts/index.ts";
import type { Probes } from "../model/facts/probes.ts";
import type { ServerCalls } from "../model/facts/server-calls.ts";
import type { Evidence, Severity, Symptom } from "../model/finding.ts";
import { methodsAtFault } from "../model/methods-at-fault.ts";
import { present } from "../model/present.ts";
import type { Witness } from "../model/source-name.ts";
import { SERVER_FAULTS, type StatusName } from "../model/status.ts";
import { meanAge } from "../model/storm.ts";
import { boundList } from "../model/subjects.ts";
import { appFrozen } from "./app-frozen.ts";
import { channelStuck } from "./channel-stuck.ts";
import { deadlineStorm } from "./deadline-storm.ts";
import { defineDetector } from "./detector.ts";
import { messageTooLarge } from "./message-too-large.ts";
import { WIRE } from "./root-causes.ts";

/** How long before the burst a dependency may have begun to fail. */
const EARLIER_MS = 30_000;
const FAILING_RUNS = 3;

/** What the calls must end with to be explained by these; the others explain any error. */
const STATUS_OF_CAUSE: Readonly<Record<string, StatusName>> = {
  [messageTooLarge.code]: "RESOURCE_EXHAUSTED",
};

type Seen = {
  readonly [K in "appCalls" | "serverCalls" | "probes" | "channels"]: Facts[K] | undefined;
};

/**
 * The server ends calls with errors of its own.
 *
 * The app's metrics tell codes, and a code tells whose fault it is: NOT_FOUND is the caller's. Channelz
 * knows only that a call failed, so there nearly all must fail; many more than usual are worth knowing,
 * and a warning where a probe meets the error as well.
 *
 * Source: grpc/grpc doc/statuscodes.md; gRFC A14 (channelz counters).
 */
export const errorBurst = defineDetector({
  code: "error-burst",
  title: "The server answers many calls with errors of its own",
  layer: "handler",
  severity: "critical",
  remedy:
    'Read the server\'s log for the method and code named; UNKNOWN mostly means an unhandled exception (Python "Exception calling application", grpc-js a throw, Java an uncaught RuntimeException).',
  lacks:
    "calls that ended since the agent looks, and counters that tell errors from cancelled calls: metrics of the app tell codes",
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
      says: "Share of errors, by codes, that is a burst where it is also three times the usual one",
    },
    minFailed: {
      unit: "count",
      default: 20,
      min: 1,
      max: 100_000,
      says: "Errors in the window below which that share says nothing",
    },
    absoluteRatio: {
      unit: "ratio",
      default: 0.2,
      min: 0.01,
      max: 1,
      says: "Share of at least 20 calls, by codes, that is a burst whatever is usual",
    },
    critical: {
      unit: "ratio",
      default: 0.5,
      min: 0.01,
      max: 1,
      says: "Share that is critical where two sources agree",
    },
  },
  needs: [],
  uses: ["appCalls", "serverCalls", "probes", "channels"],
  needsAny: ["appCalls", "serverCalls"],
  causes: [appFrozen, messageTooLarge, channelStuck, deadlineStorm],
  explainedBy: ({ code, subject }, { codes, dependency }) => {
    if (code === channelStuck.code) return subject["upstream"] === dependency;
    const status = STATUS_OF_CAUSE[code];
    const [most = ""] = Array.isArray(codes) ? codes.map(String) : [];
    return status === undefined || most.startsWith(`${status} `);
  },
  dependencyCauses: [...WIRE],
  learns: {
    faultRatio: ({ appCalls }) => sampleOf(appCalls && faultsLately(appCalls)),
    errorRatio: ({ serverCalls }) => sampleOf(serverCalls && errorsLately(serverCalls)),
  },

  detect({ usual, ...seen }, { critical, window, ratio, minFailed, absoluteRatio }) {
    const limits = { windowMs: window, ratio, leastBad: minFailed, absoluteRatio };
    const byChannelz = channelzTells(seen.serverCalls, usual.errorRatio, limits);
    const byMetrics = metricsTell(seen, usual.faultRatio, { limits, byChannelz: byChannelz.share });
    // Codes know better: where they say that all is well, failed calls are the callers' own.
    const told = byMetrics.share === undefined ? byChannelz : byMetrics;
    if (told.share === undefined) return undefined;
    if (told.share === "none") return [];
    const others: readonly Witness[] = [
      ...(told === byMetrics && isBurst(byChannelz) ? (["channelz"] as const) : []),
      ...(failsByProbe(seen.probes) ? (["probe"] as const) : []),
    ];
    return [symptomOf(seen, { ...told, found: told.share, others, critical })];
  },
});

interface Told {
  readonly witness: "metrics" | "channelz";
  readonly share: ErrorShare;
  readonly usual: number | undefined;
  /** Whose fault it is cannot be told: the callers' own, or a limit that is meant. */
  readonly isDoubtful: boolean;
  /** Codes that count. */
  readonly accused: ReadonlySet<StatusName>;
}

function metricsTell(
  { appCalls, serverCalls }: Seen,
  baseline: Baseline | undefined,
  { limits, byChannelz }: { readonly limits: ShareLimits; readonly byChannelz: ErrorShare },
): Told {
  const usual = baseline?.mean;
  const errorLimits = { usualRatio: usual, limits };
  const first = appCalls && errorShareOfMetrics(appCalls, errorLimits, SERVER_FAULTS);
  const accused = accusedCodes(first, { appCalls, serverCalls }, byChannelz);
  const share = appCalls && errorShareOfMetrics(appCalls, errorLimits, accused);
  const isDoubtful = appCalls !== undefined && isOfRefusals(appCalls, errorLimits, accused);
  return { witness: "metrics", share, usual, isDoubtful, accused };
}

function channelzTells(
  calls: ServerCalls | undefined,
  baseline: Baseline | undefined,
  limits: ShareLimits,
): Told {
  const usual = baseline?.mean;
  const share = calls && errorShareOfChannelz(calls, { usualRatio: usual, limits });
  return { witness: "channelz", share, usual, isDoubtful: true, accused: SERVER_FAULTS };
}

interface Burst extends Omit<Told, "share"> {
  readonly found: BadShare;
  readonly others: readonly Witness[];
  readonly critical: number;
}

function symptomOf(seen: Seen, burst: Burst): Symptom {
  const { found, usual, witness, others } = burst;
  const { bad, calls, ratio, ms, from } = found;
  const dependency = failingDependency(seen.channels, from - EARLIER_MS, ratio)?.upstream;
  const codes = witness === "metrics" && seen.appCalls ? codesSince(seen.appCalls, burst) : [];
  const [most] = codes;
  const what = most === undefined ? UNNAMED : `, most of them ${most.code}`;
  const where =
    dependency === undefined ? "" : `; its calls fail there alike, so look at ${dependency}`;
  const wait = waitOf(witness === "channelz" ? waitedFor(seen.serverCalls, ms) : undefined);
  return {
    subject: {},
    severity: severityOf(burst),
    witnesses: [witness, ...others],
    summary: `${bad} of ${calls} calls (${Math.round(100 * ratio)} %) ended with an error${wait.told} in ${durationText(ms)}${what}${where}`,
    ...wait.remedy,
    evidence: {
      failed: bad,
      calls,
      ratio,
      ...present({ baselineRatio: usual }),
      ...codesEvidence(codes),
      ...methodsEvidence(seen.appCalls, burst),
      ...wait.evidence,
      ...present({ dependency }),
    },
  };
}

/** What is said of calls that waited before they failed. */
function waitOf(meanAgeMs: number | undefined) {
  if (meanAgeMs === undefined) return { told: "" };
  const told = `, or at their deadline, after ${meanAgeMs} ms`;
  return { told, remedy: { remedy: FOLLOW_THE_WAIT }, evidence: { meanAgeMs } };
}

const FOLLOW_THE_WAIT =
  "The calls waited before they failed: follow the slow part (a dependency, a lock, a pool), and look for it in the server's log. A probe, or `metrics` of the target, tells DEADLINE_EXCEEDED from an error.";

/** An error that comes at once was not waited for. */
const LEAST_WAIT_MS = 500;

/**
 * How long the failed calls were in flight, where the server's own timer may end each of them with
 * DEADLINE_EXCEEDED before the caller's reset comes, and channelz shows that as any other error.
 */
function waitedFor(calls: ServerCalls | undefined, windowMs: number): number | undefined {
  if (calls?.hidesDeadlines !== true) return undefined;
  const age = meanAge(withoutStanding(serverCallSeries(calls), "streams"), windowMs);
  return age === undefined || age.ms < LEAST_WAIT_MS ? undefined : Math.round(age.ms);
}

const UNNAMED = "; without the app's metrics their codes are not known";

function severityOf({ found, others, isDoubtful, critical }: Burst): Severity {
  if (isDoubtful && found.ratio < NEARLY_ALL && !others.includes("probe")) return "info";
  return found.ratio >= critical && others.length > 0 ? "critical" : "warning";
}

interface CodeCount {
  readonly code: string;
  readonly count: number;
}

/** What the errors since then were, the most frequent first. */
function codesSince({ scrapes }: AppCalls, { found, accused }: Burst): readonly CodeCount[] {
  const from = scrapes.find(({ at }) => at >= found.from);
  const to = scrapes.at(-1);
  if (from === undefined || to === undefined) return [];
  return [...accused]
    .map((code) => ({ code, count: accusingCalls(to, code) - accusingCalls(from, code) }))
    .filter(({ count }) => count > 0)
    .toSorted((a, b) => b.count - a.count);
}

/** UNKNOWN is what a server says of an exception that nobody caught. */
function codesEvidence(codes: readonly CodeCount[]): Evidence {
  if (codes.length === 0) return {};
  return {
    codes: boundList(codes.map(({ code, count }) => `${code} ${count}`)),
    unhandledException: codes[0]?.code === "UNKNOWN",
  };
}

function methodsEvidence(calls: AppCalls | undefined, { witness, found, accused }: Burst) {
  if (witness !== "metrics" || calls === undefined) return {};
  const methods = methodsAtFault(calls, found.from, accused);
  return methods.length === 0 ? {} : { methods: boundList(methods) };
}

function isBurst({ share }: Told): boolean {
  return share !== undefined && share !== "none";
}

/** A probe meets such an error as well, again and again. */
function failsByProbe(probes: Probes | undefined): boolean {
  return Object.values(probes?.probes ?? {}).some(({ runs }) => {
    const newest = runs.slice(-FAILING_RUNS);
    const isFault = newest.every(({ status }) => status !== undefined && SERVER_FAULTS.has(status));
    return newest.length === FAILING_RUNS && isFault;
  });
}

function faultsLately({ scrapes }: AppCalls) {
  const newest = lastPolls(scrapes, 2);
  return newest && faultsBetween(newest.from, newest.to);
}

function errorsLately(serverCalls: ServerCalls) {
  const newest = lastPolls(serverCalls.polls, 2);
  return newest && errorsBetween(serverCalls, newest.from, newest.to);
}

function sampleOf(
  outcomes: { readonly bad: number; readonly finished: number } | undefined,
): Sample | undefined {
  if (outcomes === undefined || outcomes.finished === 0) return undefined;
  return { value: outcomes.bad / outcomes.finished, weight: outcomes.finished };
}
