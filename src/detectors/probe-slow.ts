import { median } from "../model/counters.ts";
import type { ProbeHistory, ProbeRun } from "../model/facts/probes.ts";
import type { Symptom } from "../model/finding.ts";
import { PHASES } from "../model/phase.ts";
import { acceptQueueOverflow } from "./accept-queue-overflow.ts";
import { appFrozen } from "./app-frozen.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { deadlineStorm } from "./deadline-storm.ts";
import { defineDetector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";
import { fdExhaustion } from "./fd-exhaustion.ts";
import { inFlightBuildup } from "./in-flight-buildup.ts";
import { streamExhaustion } from "./stream-exhaustion.ts";

/** A probe that runs so seldom is judged by fewer runs. */
const SELDOM_MS = 300_000;
const SELDOM = { missed: 2, outOf: 3 } as const;

/**
 * A probe passes, and misses its latency objective again and again.
 *
 * The first run on a new channel pays for the connection, so a probe on a kept one is not judged by it.
 */
export const probeSlow = defineDetector({
  code: "probe-slow",
  title: "A probe misses its latency objective",
  layer: "handler",
  severity: "warning",
  remedy:
    "Look at the phase that is named: rpc is the handler or its dependency, dns the resolver, tcp and tls the network or CPU.",
  lacks: "a probe with `expect.latency`, and more of its runs where each that passed was slow",
  holdMs: 0,
  clearAfterMs: 120_000,
  isTiming: true,
  expects: {
    what: "`expect.latency` of a probe",
    isStated: ({ probes }) => probes.some(({ objectiveMs }) => objectiveMs !== undefined),
  },
  limits: {
    missed: {
      unit: "count",
      default: 3,
      min: 1,
      max: 20,
      says: "Runs over the objective that are told (2 for a probe that runs every 5 min or less often)",
      atMost: "outOf",
    },
    outOf: {
      unit: "count",
      default: 5,
      min: 1,
      max: 20,
      says: "Successful runs among which they are counted (3 for such a probe)",
    },
  },
  needs: ["probes"],
  // Its runs pass: what fails a handshake or a connection is not what makes them slow.
  causes: [
    dnsFailing,
    connectBlackholed,
    appFrozen,
    acceptQueueOverflow,
    fdExhaustion,
    streamExhaustion,
    deadlineStorm,
    inFlightBuildup,
  ],

  detect({ probes }, limits) {
    const judged = Object.entries(probes.probes).flatMap(([probe, history]) => {
      const { objectiveMs, everyMs = SELDOM_MS } = history;
      if (objectiveMs === undefined) return [];
      const { missed, outOf } = everyMs >= SELDOM_MS ? SELDOM : limits;
      const runs = history.runs.filter((run) => isComparable(run, history)).slice(-outOf);
      const slow = runs.filter((run) => run.ms > objectiveMs);
      const isSlow = slow.length >= missed;
      const isUnsure = !isSlow && slow.length === runs.length;
      return [{ probe, history, objectiveMs, runs, slow, isSlow, isUnsure }];
    });
    if (judged.length === 0) return undefined; // nobody stated an objective
    const slow = judged.filter(({ isSlow }) => isSlow);
    const isUnsure = slow.length === 0 && judged.some((one) => one.isUnsure);
    return isUnsure ? undefined : slow.flatMap(symptomOf);
  },
});

interface Judged {
  readonly probe: string;
  readonly history: ProbeHistory;
  readonly objectiveMs: number;
  readonly runs: readonly ProbeRun[];
  readonly slow: readonly ProbeRun[];
}

function isComparable(run: ProbeRun, { connection }: ProbeHistory): boolean {
  const paysForConnection = connection === "kept" && run.isFirstOnChannel;
  return run.outcome === "passed" && !run.isSuspect && !paysForConnection;
}

function symptomOf({ probe, history, objectiveMs, runs, slow }: Judged): readonly Symptom[] {
  const last = slow.at(-1);
  const medianMs = median(runs.map((run) => run.ms));
  if (last === undefined || medianMs === undefined) return [];
  const slowest = slowestPhase(last);
  return [
    {
      subject: { probe },
      severity: "warning",
      witnesses: ["probe"],
      summary: `${slow.length} of the last ${runs.length} runs of ${probe} took longer than ${objectiveMs} ms, the last of them ${Math.round(last.ms)} ms`,
      evidence: {
        method: history.method,
        objectiveMs,
        probeMs: last.ms,
        medianMs,
        missed: slow.length,
        runs: runs.length,
        ...slowest,
      },
      traceId: last.traceId,
      spanId: last.spanId,
    },
  ];
}

function slowestPhase({ phaseMs }: ProbeRun): { slowPhase?: string; phaseMs?: number } {
  const timed = PHASES.flatMap((phase) => {
    const ms = phaseMs[phase];
    return ms === undefined ? [] : [{ slowPhase: phase, phaseMs: ms }];
  });
  return timed.toSorted((a, b) => b.phaseMs - a.phaseMs)[0] ?? {};
}
