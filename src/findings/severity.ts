import type { Detector } from "../detectors/detector.ts";
import { type Severity, type Symptom, severityRank } from "../model/finding.ts";

/** Severity falls only after it was lower for so long. */
const FALL_MS = 60_000;

/**
 * The severity of one symptom: its own, else the declaration's; critical needs two witnesses or
 * evidence that is deterministic, else it is a warning. What the user pinned is taken as it is.
 */
export function judgedSeverity(
  symptom: Symptom,
  detector: Detector,
  pinned: Severity | undefined,
): Severity {
  if (pinned !== undefined) return pinned;
  const severity = symptom.severity ?? detector.severity;
  if (severity !== "critical" || symptom.isDeterministic === true) return severity;
  return new Set(symptom.witnesses).size >= 2 ? "critical" : "warning";
}

/** A severity over time: rises at once, and falls to the highest that was seen while it was lower. */
export interface SettledSeverity {
  readonly severity: Severity;
  readonly lower?: { readonly forMs: number; readonly highest: Severity };
}

/** `elapsedMs`: since the judgement before. */
export function settle(
  settled: SettledSeverity,
  judged: Severity,
  elapsedMs: number,
): SettledSeverity {
  if (severityRank(judged) >= severityRank(settled.severity)) return { severity: judged };
  if (settled.lower === undefined)
    return { severity: settled.severity, lower: { forMs: 0, highest: judged } };
  const forMs = settled.lower.forMs + elapsedMs;
  const highest = higher(settled.lower.highest, judged);
  if (forMs < FALL_MS) return { severity: settled.severity, lower: { forMs, highest } };
  return { severity: highest };
}

export function higher(a: Severity, b: Severity): Severity {
  return severityRank(a) >= severityRank(b) ? a : b;
}
