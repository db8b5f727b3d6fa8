import type { Detector } from "../detectors/detector.ts";
import { findingKey, type Symptom, severityRank } from "../model/finding.ts";
import { present } from "../model/present.ts";
import type { Settings } from "../model/settings.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { verdictKey } from "./awaiting.ts";
import { type Case, type Moment, openCase, seeAbsent, seeNothing, seePresent } from "./case.ts";
import { isQuiet } from "./quiet.ts";
import { remedyFor } from "./remedies/index.ts";
import type { Verdict } from "./verdict.ts";

const MOST_SUBJECTS = 20;

export interface SightOptions extends Moment {
  readonly cases: Map<string, Case>;
  readonly detectors: ReadonlyMap<string, Detector>;
  readonly verdicts: readonly Verdict[];
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  /** Since the update before. */
  readonly elapsedMs: number;
}

/**
 * Moves the clock of every case by what was judged now, and opens cases for what is new. A case
 * without verdict, or beyond the greatest number of subjects, was not judged.
 */
export function sight(options: SightOptions): void {
  const { cases, verdicts, elapsedMs } = options;
  const unseen = new Map<string, Case[]>();
  for (const entry of cases.values()) {
    if (entry.isDrill) continue;
    const key = verdictKey(entry.target, entry.detector.code);
    unseen.set(key, [...(unseen.get(key) ?? []), entry]);
  }
  for (const verdict of verdicts) {
    if (verdict.outcome === "unjudged") continue;
    const key = verdictKey(verdict.target, verdict.code);
    const judged = sightVerdict(verdict, options);
    for (const entry of unseen.get(key) ?? [])
      if (!judged.has(entry.key)) seeAbsent(entry, verdict.observedAt, elapsedMs);
    unseen.delete(key);
  }
  for (const entry of [...unseen.values()].flat()) seeNothing(entry, elapsedMs);
}

/** Yields the keys of the cases that this verdict does not call absent. */
function sightVerdict(
  verdict: Extract<Verdict, { outcome: "judged" }>,
  options: SightOptions,
): ReadonlySet<string> {
  const { cases, detectors, snapshot, settings, now, monotonicMs, elapsedMs } = options;
  const { target, code, observedAt } = verdict;
  const detector = detectors.get(code);
  const codeSettings = settings.findings[target]?.[code];
  const seen = snapshot.targets[target];
  if (detector === undefined || codeSettings === undefined || seen === undefined) return new Set();

  const keyOf = (symptom: Symptom) => findingKey(code, target, symptom.subject);
  const symptoms = verdict.symptoms.filter(
    (one) => one.isSuspicion !== true || cases.get(keyOf(one))?.stage !== "active",
  );
  const { kept, omitted } = worstOf(symptoms, detector, (one) => cases.has(keyOf(one)));
  const remedy = remedyFor(code, seen);
  for (const found of kept) {
    const symptom = { ...present({ remedy }), ...found };
    const key = keyOf(symptom);
    const moment = { now, monotonicMs, observedAt };
    const about = { detector, target, epoch: seen.epoch, settings: codeSettings };
    const sighting = { ...about, symptom, ...moment };
    const entry = cases.get(key);
    if (entry !== undefined) seePresent(entry, sighting, elapsedMs);
    else if (!isQuiet(seen, now)) cases.set(key, openCase(sighting));
  }
  for (const symptom of omitted) {
    const entry = cases.get(keyOf(symptom));
    if (entry !== undefined) seeNothing(entry, elapsedMs);
  }
  return new Set([...kept, ...omitted].map(keyOf));
}

/** At most 20 subjects: worst first, then those that are known already; the last tells how many more. */
function worstOf(
  symptoms: readonly Symptom[],
  detector: Detector,
  isKnown: (symptom: Symptom) => boolean,
): { readonly kept: readonly Symptom[]; readonly omitted: readonly Symptom[] } {
  if (symptoms.length <= MOST_SUBJECTS) return { kept: symptoms, omitted: [] };
  const rank = (symptom: Symptom) =>
    2 * severityRank(symptom.severity ?? detector.severity) + (isKnown(symptom) ? 1 : 0);
  const sorted = symptoms.toSorted((a, b) => rank(b) - rank(a));
  const omitted = sorted.slice(MOST_SUBJECTS);
  const kept = sorted.slice(0, MOST_SUBJECTS).map((symptom, index) => {
    if (index < MOST_SUBJECTS - 1) return symptom;
    return { ...symptom, evidence: { ...symptom.evidence, omitted: omitted.length } };
  });
  return { kept, omitted };
}
