import { type Declaration, type Detector, defineDetector } from "../../src/detectors/detector.ts";
import { createTracker, type Tracker } from "../../src/findings/tracker.ts";
import type { Verdict } from "../../src/findings/verdict.ts";
import type { FindingChange, FindingsReport, Symptom } from "../../src/model/finding.ts";
import type { HistoryMark } from "../../src/model/history.ts";
import type { CodeSettings, Ignore, Settings } from "../../src/model/settings.ts";
import type { Snapshot, TargetSnapshot } from "../../src/model/snapshot.ts";
import type { Target } from "../../src/model/target.ts";
import { aTargetSnapshot, NOW, SECOND } from "./snapshot.ts";
import { aTarget } from "./targets.ts";

/** Judgement by hand: detectors without facts, and a tracker that is told what they would say. */

type AnyDeclaration = Declaration<string, never, never, never, Record<never, never>>;

/** Warning at once, cleared after a minute, unless the test says otherwise. */
export function aDetector(code: string, change: Partial<AnyDeclaration> = {}): Detector {
  return defineDetector({
    code,
    title: `The sickness ${code}`,
    layer: "handler",
    severity: "warning",
    remedy: `Heal ${code}.`,
    holdMs: 0,
    clearAfterMs: 60 * SECOND,
    limits: {},
    needs: [],
    detect: () => [],
    ...change,
  });
}

export function aSymptom(change: Partial<Symptom> = {}): Symptom {
  return { subject: {}, witnesses: ["kernel"], summary: "It is sick", evidence: {}, ...change };
}

export interface SettingsChange {
  readonly codes?: Readonly<Record<string, Partial<CodeSettings>>>;
  readonly targets?: readonly Target[];
  readonly ignore?: readonly Ignore[];
}

/** Every code on, with its own defaults, on every target and on the agent. */
export function someSettings(
  detectors: readonly Detector[],
  { codes = {}, targets = [aTarget("127.0.0.1:50051")], ignore = [] }: SettingsChange = {},
): Settings {
  const ofCodes = Object.fromEntries(
    detectors.map((detector) => [
      detector.code,
      {
        enabled: true,
        holdMs: detector.holdMs,
        clearAfterMs: detector.clearAfterMs,
        limits: Object.fromEntries(
          Object.entries(detector.limits).map(([name, limit]) => [name, limit.default]),
        ),
        ...codes[detector.code],
      },
    ]),
  );
  const names = [...targets.map((target) => target.name), "grpc-doctor"];
  return {
    listen: { port: 19464 },
    admin: { host: "127.0.0.1", port: 19465 },
    log: { level: "info", format: "json" },
    targets,
    probes: [],
    findings: Object.fromEntries(names.map((name) => [name, ofCodes])),
    ignore,
  };
}

/** By `code` on the target `app`, or by `code/target`. A code that is not named is absent. */
type Seen = Readonly<Record<string, readonly Symptom[] | "unjudged" | "unavailable">>;

interface Moment {
  readonly seen?: Seen;
  readonly settings?: SettingsChange;
  readonly target?: Partial<TargetSnapshot>;
  readonly history?: readonly HistoryMark[];
  /** When the facts were observed that were judged now; absent = now. */
  readonly observedAt?: number;
  /** By how much the wall clock has been set since the start; ms. */
  readonly wallAheadMs?: number;
}

export interface Course {
  /** Judges at so many seconds after the start; `transition code severity` of each change. */
  at(seconds: number, moment?: Moment): readonly string[];
  /** The same, with the changes as they are. */
  changesAt(seconds: number, moment?: Moment): readonly FindingChange[];
  report(): FindingsReport;
  openCodes(target?: string): readonly string[];
  drill(code: string, target?: string): ReturnType<Tracker["drill"]>;
}

const MONOTONIC_START = 1_000;

/** The course of an illness: a tracker over the time that the test names. */
export function aCourse(detectors: readonly Detector[]): Course {
  const tracker = createTracker({ detectors });
  let now = NOW;
  let elapsedMs = 0;
  let settings = someSettings(detectors);
  let snapshot: Snapshot = { takenAt: now, targets: {} };

  const changesAt = (seconds: number, moment: Moment = {}) => {
    elapsedMs = seconds * SECOND;
    now = NOW + elapsedMs;
    settings = someSettings(detectors, moment.settings);
    const targets = Object.keys(settings.findings);
    snapshot = {
      takenAt: now,
      wallAheadMs: moment.wallAheadMs ?? 0,
      targets: Object.fromEntries(targets.map((name) => [name, aTargetSnapshot(moment.target)])),
    };
    return tracker.update({
      verdicts: targets.flatMap((target) =>
        detectors.map((detector) => verdictOf(detector.code, target, { now, ...moment })),
      ),
      snapshot,
      settings,
      now,
      monotonicMs: MONOTONIC_START + elapsedMs,
      history: { targets: { app: moment.history ?? [] } },
    });
  };
  return {
    changesAt,
    at: (seconds, moment) => changesAt(seconds, moment).map(changeText),
    report: () => tracker.report({ snapshot, settings, now }),
    openCodes: (target = "app") => [...tracker.openCodes(target)],
    drill: (code, target) =>
      tracker.drill({ code, target }, settings, { now, monotonicMs: MONOTONIC_START + elapsedMs }),
  };
}

function verdictOf(code: string, target: string, moment: Moment & { now: number }): Verdict {
  const { seen = {}, now, observedAt = now } = moment;
  const judged = seen[target === "app" ? code : `${code}/${target}`] ?? [];
  if (typeof judged !== "string")
    return { code, target, outcome: "judged", symptoms: judged, observedAt };
  const isUnavailable = judged === "unavailable";
  return { code, target, outcome: "unjudged", because: judged, isUnavailable };
}

function changeText({ transition, finding, because, why }: FindingChange): string {
  const place = finding.target === "app" ? finding.code : `${finding.code}/${finding.target}`;
  const words = [transition, place, finding.severity, because ?? (why === "cleared" ? "" : why)];
  return words.filter((word) => word !== undefined && word !== "").join(" ");
}
