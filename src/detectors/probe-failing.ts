import { agreeingWitnesses } from "../model/agreement.ts";
import type { Expectation } from "../model/facts/expectation.ts";
import type { ProbeHistory, ProbeRun } from "../model/facts/probes.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import { isLate } from "../model/probe-speed.ts";
import type { Reason } from "../model/reason.ts";
import { deadlineStorm } from "./deadline-storm.ts";
import { defineDetector } from "./detector.ts";
import { dnsStale } from "./dns-stale.ts";
import { errorBurst } from "./error-burst.ts";
import { explainsFailure } from "./explained-probe.ts";
import { inFlightBuildup } from "./in-flight-buildup.ts";
import { WIRE } from "./root-causes.ts";
import { streamExhaustion } from "./stream-exhaustion.ts";

/** A probe that runs so seldom is told at its first failure. */
const SELDOM_MS = 300_000;

/** Failures that our own slowness can make. */
const TIMING: ReadonlySet<Reason> = new Set([
  "deadline",
  "connect_timeout",
  "settings_timeout",
  "dns_timeout",
]);

/**
 * A configured probe fails again and again: the way of a user's call, with phase and reason.
 *
 * It is the last resort of judgement: whatever else explains it takes it over, so it waits until each
 * possible cause was looked at. What the agent itself was not given (credentials, a client
 * certificate) is no fault of the server.
 */
export const probeFailing = defineDetector({
  code: "probe-failing",
  title: "A probe fails",
  layer: "handler",
  severity: "critical",
  remedy:
    "Run the probe by hand (`grpc-doctor probe`) to see each phase; the phase and reason name the layer to look at.",
  holdMs: 0,
  clearAfterMs: 60_000,
  waitsForCauses: true,
  expects: {
    what: "a probe of the target",
    isStated: ({ probes }) => probes.length > 0,
  },
  limits: {
    failures: {
      unit: "count",
      default: 2,
      min: 1,
      max: 20,
      says: "Failures in a row that are told (1 for a probe that runs every 5 min or less often)",
    },
    critical: {
      unit: "count",
      default: 3,
      min: 1,
      max: 20,
      says: "Failures in a row that are critical when another source agrees",
    },
  },
  needs: ["probes", "expectation"],
  uses: ["xray", "health", "appCalls", "serverCalls"],
  causes: [...WIRE, dnsStale, streamExhaustion, deadlineStorm, errorBurst, inFlightBuildup],
  explainedBy: explainsFailure,

  detect({ stamp, probes, expectation, xray, ...others }, { failures, critical }) {
    return Object.entries(probes.probes).flatMap(([probe, history]): readonly Symptom[] => {
      const failed = failedInRow(history, expectation);
      const [first] = failed;
      const last = failed.at(-1);
      const isSeldom = (history.everyMs ?? SELDOM_MS) >= SELDOM_MS;
      const needed = isSeldom ? 1 : failures;
      if (first === undefined || last === undefined || failed.length < needed) return [];
      const { health, appCalls, serverCalls } = others;
      const agreeing = agreeingWitnesses({ xray, health, appCalls, serverCalls }, first.at);
      const isCritical = failed.length >= critical && agreeing.length > 0;
      return [
        {
          subject: { probe },
          severity: isCritical ? "critical" : "warning",
          witnesses: ["probe", ...agreeing],
          summary: `Probe ${probe} failed ${timesText(failed.length)}: ${failureText(last, history)}`,
          remedy: `Run \`kubectl exec POD -c grpc-doctor -- grpc-doctor probe ${probe}\` (outside a pod: with --config FILE) to see each phase; the phase and reason name the layer to look at.`,
          evidence: {
            ...evidenceOf(last, history),
            ...(history.lastOkAt === undefined ? {} : { lastOkAt: stamp(history.lastOkAt) }),
            failures: failed.length,
            ...(xray === undefined ? {} : { otherClientPasses: xray.latest.outcome === "passed" }),
          },
          beganAt: first.at,
          traceId: last.traceId,
          spanId: last.spanId,
        },
      ];
    });
  },
});

/** The unbroken run of failures up to now; runs that say nothing about the server are left out. */
function failedInRow(history: ProbeHistory, expectation: Expectation): readonly ProbeRun[] {
  const telling = history.runs.filter((run) => !isOurFault(run));
  const lastGood = telling.findLastIndex((run) => !isServersFault(run, history, expectation));
  return telling.slice(lastGood + 1);
}

function isOurFault({ reason, isSuspect }: ProbeRun): boolean {
  return reason === "agent" || (isSuspect && reason !== undefined && TIMING.has(reason));
}

/** A failure that is neither a missed objective (`probe-slow`) nor a missing credential of ours. */
function isServersFault(
  { outcome, reason, status }: ProbeRun,
  { hasCredentials }: ProbeHistory,
  { hasClientCertificate }: Expectation,
): boolean {
  if (outcome !== "failed" || reason === "latency" || reason === "credentials") return false;
  if (reason === "client_certificate_required") return hasClientCertificate;
  const isDenied = status === "UNAUTHENTICATED" || status === "PERMISSION_DENIED";
  return !isDenied || hasCredentials;
}

function evidenceOf(run: ProbeRun, history: ProbeHistory): Evidence {
  const { phase, reason, status, statusText, assertion, actual, ms } = run;
  const { method, deadlineMs, connection } = history;
  return {
    method,
    probeMs: ms,
    deadlineMs,
    connection,
    ...(phase === undefined ? {} : { phase }),
    ...(reason === undefined ? {} : { reason }),
    ...(status === undefined ? {} : { status }),
    ...(statusText === undefined ? {} : { statusText }),
    ...(assertion === undefined ? {} : { assertion }),
    ...(actual === undefined ? {} : { actual }),
  };
}

function timesText(failures: number): string {
  return failures === 1 ? "once" : `${failures} times in a row`;
}

function failureText(run: ProbeRun, { method, deadlineMs }: ProbeHistory): string {
  const { phase, reason, status, assertion } = run;
  const where = phase === undefined ? method : `${method}, phase ${phase}`;
  if (isLate(run)) return `${where}, no answer within its deadline of ${deadlineMs} ms`;
  return `${where}, ${assertion ?? status ?? reason ?? "other"} after ${Math.round(run.ms)} ms`;
}
