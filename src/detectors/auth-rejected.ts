import type { Outcomes } from "../model/bad-share.ts";
import type { Baseline, Sample } from "../model/baseline.ts";
import { handledCalls } from "../model/call-series.ts";
import { lastPolls } from "../model/counters.ts";
import { durationText } from "../model/duration-text.ts";
import type { AppCalls, AppScrape } from "../model/facts/app-calls.ts";
import type { Expectation } from "../model/facts/expectation.ts";
import type { ProbeHistory, ProbeRun, Probes } from "../model/facts/probes.ts";
import { neededInRow, runsInRow, timesText } from "../model/failed-runs.ts";
import type { Severity, Symptom } from "../model/finding.ts";
import { type LastingShare, lastingShare } from "../model/lasting-share.ts";
import { present } from "../model/present.ts";
import type { StatusName } from "../model/status.ts";
import { boundSubjects } from "../model/subjects.ts";
import type { Instant } from "../model/time.ts";
import { defineDetector } from "./detector.ts";
import { tlsCertNotYetValid } from "./tls-cert-not-yet-valid.ts";
import { tlsClientCertRejected } from "./tls-client-cert-rejected.ts";

const TIMES_USUAL = 3;
/** Where so many are usual, rejecting is what the server is for: a login, a gate. */
const MOST_USUAL = 0.5;
/** A key that is no longer valid rejects everybody who uses it. */
const NEARLY_ALL = 0.9;
const REJECTIONS: readonly StatusName[] = ["UNAUTHENTICATED", "PERMISSION_DENIED"];

interface Limits {
  readonly ratio: number;
  readonly minRejected: number;
  readonly lasting: number;
}

/**
 * Callers that were let in are turned away.
 *
 * A key was rotated, a token has run out, a policy has changed, or a clock is wrong: all of them show as
 * a step, from a usual share of rejections to another. The share itself accuses nobody: to a login
 * service, UNAUTHENTICATED is a wrong password, and scanners knock on every door. So metrics are held
 * to what is usual here, for minutes; while nothing is known to be usual, only nearly all calls are told,
 * as information. A probe that was let in, and is not any more, needs no such measure.
 *
 * Source: grpc/grpc doc/statuscodes.md.
 */
export const authRejected = defineDetector({
  code: "auth-rejected",
  title: "Callers that were let in are rejected",
  layer: "grpc",
  severity: "critical",
  remedy:
    "Look for a rotated key, an expired token or a clock difference; a step to nearly 100 % is one of these.",
  lacks:
    "a usual share of rejections (10 min and 200 calls of the app's own metrics), or a probe that has credentials and once passed",
  holdMs: 20_000,
  clearAfterMs: 120_000,
  limits: {
    failures: {
      unit: "count",
      default: 3,
      min: 1,
      max: 20,
      says: "Rejections of a probe in a row (1 of a probe that runs every 5 min or less often)",
    },
    lasting: {
      unit: "ms",
      default: 180_000,
      min: 60_000,
      max: 540_000,
      says: "How long, minute by minute, the share of rejections must be high: a scan ends sooner",
    },
    ratio: {
      unit: "ratio",
      default: 0.05,
      min: 0.001,
      max: 1,
      says: "Share of rejections that is high where it is also three times the usual one",
    },
    minRejected: {
      unit: "count",
      default: 20,
      min: 1,
      max: 100_000,
      says: "Rejections in each minute below which that share says nothing",
    },
    critical: {
      unit: "ratio",
      default: 0.5,
      min: 0.01,
      max: 1,
      says: "Share that is critical where a probe with credentials is rejected too",
    },
  },
  needs: ["expectation"],
  uses: ["probes", "appCalls"],
  needsAny: ["probes", "appCalls"],
  causes: [tlsClientCertRejected, tlsCertNotYetValid],
  learns: {
    rejectedRatio: ({ appCalls }) => sampleOf(appCalls),
  },

  detect({ expectation, probes, appCalls, usual, stamp }, { failures, critical, ...limits }) {
    const byMetrics = metricsTell(appCalls, usual.rejectedRatio, limits);
    const credentialed = probesWithCredentials(probes, expectation);
    if (byMetrics === undefined && credentialed.length === 0) return undefined;
    const isHigh = byMetrics !== undefined && byMetrics !== "none" && byMetrics.isUnusual;
    const share = isHigh ? byMetrics.share : undefined;
    const byProbes = credentialed.flatMap(([probe, history]) => {
      const rejected = runsInRow(history, isRejection);
      if (rejected.length < neededInRow(history, failures)) return [];
      const severity = (share?.ratio ?? 0) >= critical ? "critical" : "warning";
      return probeSymptom({ probe, history, rejected, share, severity, stamp });
    });
    // One cause, told once: by the probe, which has a status and a time.
    if (byProbes.length > 0) return boundSubjects(byProbes);
    if (byMetrics === undefined || byMetrics === "none") return [];
    return [metricsSymptom(byMetrics, usual.rejectedRatio, stamp)];
  },
});

interface High {
  readonly share: LastingShare;
  /** Against what is usual; false = nobody knows what is. */
  readonly isUnusual: boolean;
  readonly status: StatusName;
}

function metricsTell(
  appCalls: AppCalls | undefined,
  usual: Baseline | undefined,
  { lasting, ratio, minRejected }: Limits,
): High | "none" | undefined {
  if (appCalls === undefined) return undefined;
  const share = lastingShare(appCalls.scrapes, lasting, rejectedBetween);
  if (share === undefined) return undefined;
  if (usual !== undefined && usual.mean >= MOST_USUAL) return "none";
  const isAtLeast = (least: number) =>
    share.minutes.every(({ bad, calls }) => bad >= minRejected && bad >= least * calls);
  if (!isAtLeast(ratio)) return "none";
  const unusual = Math.min(TIMES_USUAL * (usual?.mean ?? 1), NEARLY_ALL);
  // While nothing is known to be usual, many rejections may be the business of this server.
  if (!isAtLeast(unusual)) return usual === undefined ? undefined : "none";
  return { share, isUnusual: usual !== undefined, status: mostOf(appCalls, share) };
}

/** Probes that show who they are, and were let in once. */
function probesWithCredentials(
  probes: Probes | undefined,
  { hasClientCertificate }: Expectation,
): readonly (readonly [string, ProbeHistory])[] {
  return Object.entries(probes?.probes ?? {}).filter(
    ([, { hasCredentials, lastOkAt }]) =>
      (hasCredentials || hasClientCertificate) && lastOkAt !== undefined,
  );
}

function isRejection({ outcome, phase, status }: ProbeRun): boolean {
  return outcome === "failed" && phase === "rpc" && isDenied(status);
}

function isDenied(status: StatusName | undefined): boolean {
  return REJECTIONS.some((rejection) => rejection === status);
}

function probeSymptom({
  probe,
  history,
  rejected,
  share,
  severity,
  stamp,
}: {
  readonly probe: string;
  readonly history: ProbeHistory;
  readonly rejected: readonly ProbeRun[];
  readonly share: LastingShare | undefined;
  readonly severity: Severity;
  readonly stamp: (at: Instant) => string;
}): readonly Symptom[] {
  const [first, last] = [rejected[0], rejected.at(-1)];
  if (first === undefined || last === undefined) return [];
  const { status, traceId, spanId } = last;
  return [
    {
      subject: { probe },
      severity,
      witnesses: share === undefined ? ["probe"] : ["probe", "metrics"],
      summary: `Probe ${probe} was let in before, and is rejected ${timesText(history, rejected)} now: ${status}`,
      evidence: present({
        rejected: share?.bad ?? rejected.length,
        calls: share?.calls,
        ratio: share?.ratio,
        status,
        stepAt: stamp(first.at),
      }),
      beganAt: first.at,
      traceId,
      spanId,
    },
  ];
}

function metricsSymptom(
  { share, isUnusual, status }: High,
  usual: Baseline | undefined,
  stamp: (at: Instant) => string,
): Symptom {
  const { bad, calls, ratio, from, ms } = share;
  const before =
    usual === undefined
      ? "; whether that is usual here is not known yet"
      : `, usually ${percent(usual.mean)}`;
  return {
    subject: {},
    severity: isUnusual ? "warning" : "info",
    witnesses: ["metrics"],
    summary: `${bad} of ${calls} calls (${percent(ratio)}) were rejected in ${durationText(ms)}, most of them ${status}${before}`,
    evidence: present({
      rejected: bad,
      calls,
      ratio,
      baselineRatio: usual?.mean,
      status,
      stepAt: isUnusual ? stamp(from) : undefined,
    }),
    beganAt: from,
  };
}

function percent(ratio: number): string {
  return `${Math.round(100 * ratio)} %`;
}

function rejectedBetween(from: AppScrape, to: AppScrape): Outcomes {
  const finished = handledCalls(to) - handledCalls(from);
  return { calls: finished, finished, bad: rejectedIn(to) - rejectedIn(from) };
}

function rejectedIn({ handledByCode }: AppScrape): number {
  return REJECTIONS.reduce((sum, code) => sum + (handledByCode[code] ?? 0), 0);
}

function mostOf({ scrapes }: AppCalls, { from }: LastingShare): StatusName {
  const first = scrapes.find(({ at }) => at >= from);
  const gained = (code: StatusName) =>
    (scrapes.at(-1)?.handledByCode[code] ?? 0) - (first?.handledByCode[code] ?? 0);
  return gained("PERMISSION_DENIED") > gained("UNAUTHENTICATED")
    ? "PERMISSION_DENIED"
    : "UNAUTHENTICATED";
}

function sampleOf(appCalls: AppCalls | undefined): Sample | undefined {
  const newest = lastPolls(appCalls?.scrapes ?? [], 2);
  if (newest === undefined) return undefined;
  const { bad, calls } = rejectedBetween(newest.from, newest.to);
  return calls === 0 ? undefined : { value: bad / calls, weight: calls };
}
