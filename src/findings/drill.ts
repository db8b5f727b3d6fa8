import type { Detector } from "../detectors/detector.ts";
import type { Symptom } from "../model/finding.ts";
import { AGENT_TARGET } from "../model/target.ts";
import { type Instant, rfc3339 } from "../model/time.ts";
import { type Case, openCase } from "./case.ts";

/** Long enough for a scrape to see it. */
const DRILL_MS = 60_000;
const MOST_DRILLS = 20;

/**
 * A marked, false finding of a code, to prove the way to the pager. It is the agent's own, so that it
 * touches no target's findings; it explains nothing, and nothing explains it.
 */
export function drillCase(
  detector: Detector,
  cases: readonly Case[],
  now: Instant,
): Case | undefined {
  if (cases.filter((entry) => entry.isDrill).length >= MOST_DRILLS) return undefined;
  const symptom: Symptom = {
    subject: { drill: rfc3339(now) },
    witnesses: ["self"],
    isDeterministic: true,
    summary: `Drill: a false ${detector.code} finding, sent to test the alerting path`,
    evidence: {},
    remedy: "Nothing to do: this is a drill, and it resolves itself within a minute.",
  };
  const settings = { enabled: true, holdMs: 0, clearAfterMs: DRILL_MS, limits: {} };
  const sighting = { detector, target: AGENT_TARGET, symptom, settings, now, observedAt: now };
  const entry = openCase(sighting, true);
  entry.stage = "active";
  entry.told = { at: now, severity: entry.settled.severity };
  return entry;
}

export function isDrillOver(entry: Case, now: Instant): boolean {
  return now - entry.firstSeen >= DRILL_MS;
}
