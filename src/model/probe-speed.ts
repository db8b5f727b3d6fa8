import type { ProbeHistory, ProbeRun, Probes } from "./facts/probes.ts";

const RUNS = 3;

/** How a unary probe fares against its deadline. */
export interface ProbeSpeed {
  readonly probe: string;
  /** Of the newest run. */
  readonly ms: number;
  readonly deadlineMs: number;
  /** Each of the last three runs took half of its deadline, or ran past it. */
  readonly isSlow: boolean;
  /** Each of them failed. */
  readonly isFailing: boolean;
}

/**
 * The unary probes of a target, the slowest against its deadline first. Not known for a probe with
 * fewer than three runs, with one that our own slowness may have made, or of unknown shape.
 */
export function unaryProbeSpeeds(probes: Probes | undefined): readonly ProbeSpeed[] {
  const speeds = Object.entries(probes?.probes ?? {}).flatMap(([probe, history]) =>
    speedOf(probe, history),
  );
  return speeds.toSorted((a, b) => b.ms / b.deadlineMs - a.ms / a.deadlineMs);
}

function speedOf(probe: string, history: ProbeHistory): readonly ProbeSpeed[] {
  const { runs, deadlineMs, isUnary } = history;
  const newest = runs.slice(-RUNS);
  const last = newest.at(-1);
  if (isUnary !== true || last === undefined || newest.length < RUNS) return [];
  if (newest.some((run) => run.isSuspect)) return [];
  const isSlow = newest.every((run) => isLate(run) || run.ms >= deadlineMs / 2);
  const isFailing = newest.every((run) => run.outcome === "failed");
  return [{ probe, ms: last.ms, deadlineMs, isSlow, isFailing }];
}

/** Whether a run ended at its deadline. */
export function isLate({ reason, status }: ProbeRun): boolean {
  return reason === "deadline" || status === "DEADLINE_EXCEEDED";
}
