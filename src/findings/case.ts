import type { Detector } from "../detectors/detector.ts";
import {
  type ChangeSince,
  findingKey,
  type Severity,
  type Subject,
  type Symptom,
} from "../model/finding.ts";
import type { CodeSettings } from "../model/settings.ts";
import type { Witness } from "../model/source-name.ts";
import type { Instant } from "../model/time.ts";
import type { Awaited } from "./awaiting.ts";
import { judgedSeverity, type SettledSeverity, settle } from "./severity.ts";

/** A metric scrape must see each finding: none is resolved sooner, whatever is configured. */
const LEAST_CLEAR_MS = 60_000;
const UNOBSERVABLE_MS = 600_000;
/** Of a process that is gone: another one that is as sick is judged sooner. */
const UNOBSERVABLE_AFTER_EPOCH_MS = 60_000;

/**
 * How many clean observations must lie in clearAfter. A source that pushes its changes (a Watch, the
 * kept connection, our own condition) is observed by its silence, as its fact is unknown once it
 * stops; a probe needs one run; everything that is polled needs two.
 */
const CLEAN_OBSERVATIONS: Readonly<Partial<Record<Witness, number>>> = {
  health: 0,
  connection: 0,
  self: 0,
  cgroup: 0,
  drain: 0,
  config: 0,
  probe: 1,
};
const CLEAN_POLLS = 2;

/** What silences a finding: a root cause, or an `ignore` of the configuration. */
export interface Silencer {
  /** As the findings document says it. */
  readonly because: string;
  /** Key of the root; absent for an ignore. */
  readonly root?: string;
}

/** One instant of the agent's own time, and the monotonic clock's finer reading of it. */
export interface Moment {
  readonly now: Instant;
  readonly monotonicMs: number;
}

/**
 * A symptom with a life: `pending` until it was present for its hold, then `active`. Its clocks run
 * only between two judgements of the same kind, so that they stand still while nothing is judged.
 */
export interface Case {
  readonly key: string;
  readonly target: string;
  readonly subject: Subject;
  readonly detector: Detector;
  readonly firstSeen: Instant;
  /** The same by the monotonic clock, and when the symptom itself began. */
  readonly openedMs: number;
  readonly begunMs: number;
  /** When it began, to be compared with observations. */
  readonly begunAt: Instant;
  readonly isDrill: boolean;
  symptom: Symptom;
  lastSeen: Instant;
  /** The target's epoch when it was last present, and when it was first seen in that epoch. */
  epoch: number;
  inEpochMs: number;
  countedMs: number;
  count: number;
  stage: "pending" | "active";
  status: "present" | "absent" | "unjudged";
  presentMs: number;
  absentMs: number;
  unjudgedMs: number;
  /** How long it has waited beyond its own hold for a cause that is pending. */
  waitedMs: number;
  /** The causes that it waits for, once its hold is over. */
  awaited: Awaited | undefined;
  /** The newest observation that counted, and how many were clean since it was last present. */
  observedAt: Instant;
  clean: number;
  settled: SettledSeverity;
  silencer: Silencer | undefined;
  /** The sinks heard of its beginning: they must hear of its end, also if a root took it over meanwhile. */
  isHeard: boolean;
  /** Set while the sinks were told that it is open: when last, and how severe. */
  told: { readonly atMs: number; readonly severity: Severity } | undefined;
  changed: readonly ChangeSince[];
}

export interface Sighting extends Moment {
  readonly detector: Detector;
  readonly target: string;
  readonly epoch: number;
  readonly symptom: Symptom;
  readonly settings: CodeSettings;
  readonly observedAt: Instant;
}

export function openCase(sighting: Sighting, isDrill = false): Case {
  const { detector, target, epoch, symptom, settings, now, monotonicMs, observedAt } = sighting;
  return {
    key: findingKey(detector.code, target, symptom.subject),
    target,
    subject: symptom.subject,
    detector,
    firstSeen: now,
    openedMs: monotonicMs,
    begunMs: monotonicMs - Math.max(0, now - (symptom.beganAt ?? now)),
    begunAt: symptom.beganAt ?? now,
    isDrill,
    symptom,
    lastSeen: now,
    epoch,
    inEpochMs: monotonicMs,
    countedMs: monotonicMs,
    count: 1,
    stage: "pending",
    status: "present",
    presentMs: 0,
    absentMs: 0,
    unjudgedMs: 0,
    waitedMs: 0,
    awaited: undefined,
    observedAt,
    clean: 0,
    settled: { severity: judgedSeverity(symptom, detector, settings.severity) },
    silencer: undefined,
    isHeard: false,
    told: undefined,
    changed: [],
  };
}

export function seePresent(entry: Case, sighting: Sighting, elapsedMs: number): void {
  const { symptom, detector, settings, now, monotonicMs, observedAt } = sighting;
  const runMs = entry.status === "present" ? elapsedMs : 0;
  const judged = judgedSeverity(symptom, detector, settings.severity);
  entry.settled =
    settings.severity === undefined
      ? settle(entry.settled, judged, runMs)
      : { severity: settings.severity };
  entry.presentMs += runMs;
  entry.status = "present";
  entry.absentMs = 0;
  entry.unjudgedMs = 0;
  entry.clean = 0;
  entry.observedAt = observedAt;
  entry.symptom = symptom;
  entry.lastSeen = now;
  if (entry.epoch !== sighting.epoch) entry.inEpochMs = monotonicMs;
  entry.epoch = sighting.epoch;
  if (monotonicMs - entry.countedMs < 1000) return;
  entry.countedMs = monotonicMs;
  entry.count += 1;
}

export function seeAbsent(entry: Case, observedAt: Instant, elapsedMs: number): void {
  if (entry.status === "absent") entry.absentMs += elapsedMs;
  entry.status = "absent";
  entry.unjudgedMs = 0;
  if (observedAt <= entry.observedAt) return;
  entry.observedAt = observedAt;
  entry.clean += 1;
}

export function seeNothing(entry: Case, elapsedMs: number): void {
  if (entry.status === "unjudged") entry.unjudgedMs += elapsedMs;
  entry.status = "unjudged";
}

/** The hold that counts: the user's where set, else the symptom's own, else the declaration's. */
export function holdOf(entry: Case, settings: CodeSettings): number {
  const isUsers = settings.holdMs !== entry.detector.holdMs;
  return isUsers ? settings.holdMs : (entry.symptom.holdMs ?? settings.holdMs);
}

/** Why its life is over, or `undefined` while it goes on. */
export function endOf(
  entry: Case,
  settings: CodeSettings,
  epoch: number,
): "cleared" | "no-longer-observable" | undefined {
  if (entry.status === "unjudged") {
    const longestMs = entry.epoch === epoch ? UNOBSERVABLE_MS : UNOBSERVABLE_AFTER_EPOCH_MS;
    return entry.unjudgedMs >= longestMs ? "no-longer-observable" : undefined;
  }
  if (entry.status === "present") return undefined;
  if (entry.stage === "pending") return "cleared"; // an absence breaks the hold
  const clearMs = Math.max(settings.clearAfterMs, LEAST_CLEAR_MS);
  const [decider] = entry.symptom.witnesses;
  const needed = CLEAN_OBSERVATIONS[decider] ?? CLEAN_POLLS;
  return entry.absentMs >= clearMs && entry.clean >= needed ? "cleared" : undefined;
}
