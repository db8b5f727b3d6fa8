import { agreeingWitnesses } from "../model/agreement.ts";
import type { Expectation } from "../model/facts/expectation.ts";
import type { ProbeHistory, ProbeRun } from "../model/facts/probes.ts";
import { countText, failuresInRow, neededInRow, runsInRow } from "../model/failed-runs.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import { isLate } from "../model/probe-speed.ts";
import { declaresStart } from "../model/startup.ts";
import { authRejected } from "./auth-rejected.ts";
import { compressionUnsupported } from "./compression-unsupported.ts";
import { connectionChurn } from "./connection-churn.ts";
import { contractDrift } from "./contract-drift.ts";
import { deadlineStorm } from "./deadline-storm.ts";
import { defineDetector } from "./detector.ts";
import { dnsStale } from "./dns-stale.ts";
import { errorBurst } from "./error-burst.ts";
import { explainsFailure } from "./explained-probe.ts";
import { inFlightBuildup } from "./in-flight-buildup.ts";
import { messageTooLarge } from "./message-too-large.ts";
import { metadataTooLarge } from "./metadata-too-large.ts";
import { WIRE } from "./root-causes.ts";
import { streamExhaustion } from "./stream-exhaustion.ts";
import { streamsRefused } from "./streams-refused.ts";
import { unimplementedCalls } from "./unimplemented-calls.ts";

/** Of what one look saw once: longer than it takes to see more. */
const ONE_LOOK_HOLD_MS = 600_000;

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
  lacks: "a server that has served, or whose time to start is over",
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
  causes: [
    ...WIRE,
    dnsStale,
    connectionChurn,
    metadataTooLarge,
    streamExhaustion,
    streamsRefused,
    compressionUnsupported,
    contractDrift,
    unimplementedCalls,
    authRejected,
    messageTooLarge,
    deadlineStorm,
    errorBurst,
    inFlightBuildup,
  ],
  explainedBy: explainsFailure,

  detect({ stamp, now, probes, expectation, xray, ...others }, { failures, critical }) {
    const { startupMs } = expectation;
    if (declaresStart(others.health, { startupMs, now })) return undefined;
    return Object.entries(probes.probes).flatMap(([probe, history]): readonly Symptom[] => {
      const failed = runsInRow(history, (run) => isServersFault(run, history, expectation));
      const [first] = failed;
      const last = failed.at(-1);
      if (first === undefined || last === undefined) return [];
      const count = failuresInRow(history, failed);
      const isSuspicion = failed.length < neededInRow(history, failures);
      // One look sees no later run, and says what it has seen.
      if (isSuspicion && startupMs > 0) return [];
      const { health, appCalls, serverCalls } = others;
      const agreeing = agreeingWitnesses({ xray, health, appCalls, serverCalls }, first.at);
      const isCritical = failed.length >= critical && agreeing.length > 0;
      return [
        {
          subject: { probe },
          severity: isCritical ? "critical" : "warning",
          witnesses: ["probe", ...agreeing],
          ...(isSuspicion && { isSuspicion, holdMs: ONE_LOOK_HOLD_MS }),
          summary: `Probe ${probe} failed ${countText(count)}: ${failureText(last, history)}`,
          remedy: `Run \`kubectl exec POD -c grpc-doctor -- grpc-doctor probe ${probe}\` (outside a pod: with --config FILE) to see each phase; the phase and reason name the layer to look at.`,
          evidence: {
            ...evidenceOf(last, history),
            ...(history.lastOkAt === undefined ? {} : { lastOkAt: stamp(history.lastOkAt) }),
            failures: count,
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

function failureText(run: ProbeRun, { method, deadlineMs }: ProbeHistory): string {
  const { phase, reason, status, assertion } = run;
  const where = phase === undefined ? method : `${method}, phase ${phase}`;
  if (isLate(run)) return `${where}, no answer within its deadline of ${deadlineMs} ms`;
  return `${where}, ${assertion ?? status ?? reason ?? "other"} after ${Math.round(run.ms)} ms`;
}
