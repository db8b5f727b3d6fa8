import type { Detector } from "../detectors/detector.ts";
import type { Symptom } from "../model/finding.ts";
import { nearest } from "../model/nearest.ts";
import type { CodeSettings, Settings } from "../model/settings.ts";
import { AGENT_TARGET } from "../model/target.ts";
import { type Instant, rfc3339 } from "../model/time.ts";
import { type Case, type Moment, openCase } from "./case.ts";

/** Long enough for a scrape to see it. */
const DRILL_MS = 60_000;
const MOST_DRILLS = 20;

export interface DrillOrder {
  readonly code: string;
  /** Absent: the agent itself for its own codes, else the first target that is an app. */
  readonly target?: string | undefined;
}

export interface DrillOptions {
  readonly detectors: ReadonlyMap<string, Detector>;
  readonly cases: readonly Case[];
  readonly settings: Settings;
  readonly moment: Moment;
}

/** Why there is no drill, in one line for who asked. */
export interface DrillRefusal {
  readonly refused: string;
}

/**
 * A marked, false finding, to prove the way to the pager: on the target and with the severity that a
 * real one would have, so that it takes the same routes. What can never be told there is refused. It
 * explains nothing, nothing explains it, and no finding of the target is touched.
 */
export function openDrill(order: DrillOrder, options: DrillOptions): Case | DrillRefusal {
  const { detectors, cases, settings, moment } = options;
  const detector = detectors.get(order.code);
  if (detector === undefined)
    return { refused: `${order.code} is no code${hint(order.code, [...detectors.keys()])}` };
  const place = placeOf(order, detector, settings);
  if ("refused" in place) return place;
  if (cases.filter((entry) => entry.isDrill).length >= MOST_DRILLS)
    return { refused: `${MOST_DRILLS} drills are open; each ends within a minute` };
  const { target, code } = place;
  const timing = { holdMs: 0, clearAfterMs: DRILL_MS };
  const entry = openCase(
    {
      detector,
      target,
      epoch: 0,
      symptom: symptomOf(detector, moment.now),
      settings: { ...code, ...timing },
      ...moment,
      observedAt: moment.now,
    },
    true,
  );
  entry.stage = "active";
  entry.told = { atMs: moment.monotonicMs, severity: entry.settled.severity };
  entry.isHeard = true;
  return entry;
}

function placeOf(
  { target: asked }: DrillOrder,
  { code, layer }: Detector,
  { targets, findings }: Settings,
): { readonly target: string; readonly code: CodeSettings } | DrillRefusal {
  const names = layer === "agent" ? [AGENT_TARGET] : appsFirst(targets);
  const target = asked ?? names[0] ?? "";
  const settings = findings[target]?.[code];
  if (!names.includes(target) || settings === undefined)
    return { refused: `${code} can be on ${names.join(", ")}, not on ${target}` };
  if (!settings.enabled) return { refused: `${code} is off on ${target}` };
  return { target, code: settings };
}

function appsFirst(targets: Settings["targets"]): readonly string[] {
  const apps = targets.filter(({ role }) => role === "app");
  return [...new Set([...apps, ...targets])].map(({ name }) => name);
}

function symptomOf({ code }: Detector, now: Instant): Symptom {
  return {
    subject: { drill: rfc3339(now) },
    witnesses: ["self"],
    isDeterministic: true,
    summary: `Drill: a false ${code} finding, sent to test the alerting path`,
    evidence: {},
    remedy: "Nothing to do: this is a drill, and it resolves itself within a minute.",
  };
}

function hint(found: string, valid: readonly string[]): string {
  const meant = nearest(found, valid);
  return meant === undefined ? "" : ` (did you mean ${meant}?)`;
}

export function isDrillOver({ openedMs }: Case, monotonicMs: number): boolean {
  return monotonicMs - openedMs >= DRILL_MS;
}
