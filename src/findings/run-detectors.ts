import type { Detector } from "../detectors/detector.ts";
import type { Baseline } from "../model/baseline.ts";
import { crashText } from "../model/crash-text.ts";
import type { AgentEvent } from "../model/event.ts";
import type { FactName } from "../model/facts/index.ts";
import type { Symptom, Unjudged } from "../model/finding.ts";
import { severityRank } from "../model/finding.ts";
import type { Settings } from "../model/settings.ts";
import { knownValue, type Snapshot, type TargetSnapshot } from "../model/snapshot.ts";
import { AGENT_TARGET } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import { roundedEvidence } from "./rounded-evidence.ts";
import { slowEvents } from "./slow-detectors.ts";
import { appliesTo, missingFacts, type Obstacle, standingObstacle } from "./unjudged.ts";
import { unjudgedOf, type Verdict } from "./verdict.ts";

/** A baseline counts only when it was learnt for so long, from so many calls. */
const BASELINE_AGE_MS = 600_000;
const BASELINE_WEIGHT = 200;

/** Facts that stand still by nature: their age says nothing of how fresh a judgement is. */
const STANDING_FACTS: ReadonlySet<FactName> = new Set(["expectation", "surroundings", "services"]);

const CRASHED: Obstacle = {
  because: "the detector crashed (see detector-crashed)",
  isUnavailable: true,
};

export interface RunDetectorsOptions {
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  readonly detectors: readonly Detector[];
  readonly monotonicMs: () => number;
}

export interface Judgement {
  readonly verdicts: readonly Verdict[];
  readonly unjudged: readonly Unjudged[];
  /** What to tell of the detectors themselves: the ones that threw, and the slow. */
  readonly events: readonly AgentEvent[];
}

interface Run {
  readonly code: string;
  readonly verdict: Verdict;
  readonly durationMs: number;
  readonly crash?: AgentEvent;
}

/**
 * Asks every enabled detector about every target that it applies to, each apart: one that throws is
 * an event and an unjudged code, and the others go on. Stateless; the tracker remembers.
 *
 * Codes of the layer agent are judged on the reserved target, and no others there.
 */
export function runDetectors(options: RunDetectorsOptions): Judgement {
  const { snapshot, detectors } = options;
  const targets = Object.entries(snapshot.targets);
  const hasMesh = targets.some(([, target]) => knownValue(target, "surroundings")?.mesh === true);
  const runs = detectors.flatMap((detector) =>
    targets
      .filter(([name, target]) => isAskedOf(detector, name, target))
      .flatMap(([name]) => runOne({ ...options, detector, name, hasMesh })),
  );
  const verdicts = runs.map((run) => run.verdict);
  const crashes = runs.flatMap((run) => run.crash ?? []);
  return {
    verdicts,
    unjudged: verdicts.flatMap(unjudgedOf),
    events: [...crashes, ...slowEvents(options, runs)],
  };
}

function isAskedOf(detector: Detector, name: string, target: TargetSnapshot): boolean {
  return (detector.layer === "agent") === (name === AGENT_TARGET) && appliesTo(detector, target);
}

interface RunOptions extends RunDetectorsOptions {
  readonly detector: Detector;
  readonly name: string;
  readonly hasMesh: boolean;
}

function runOne(options: RunOptions): readonly Run[] {
  const { snapshot, settings, detector, name, hasMesh, monotonicMs } = options;
  const target = snapshot.targets[name];
  const code = settings.findings[name]?.[detector.code];
  if (target === undefined || code?.enabled !== true) return [];
  const run = { code: detector.code, durationMs: 0 };
  const obstacle = standingObstacle(detector, target, hasMesh);
  if (obstacle !== undefined)
    return [{ ...run, verdict: unjudgedVerdict(detector, name, obstacle) }];

  const startedAt = monotonicMs();
  try {
    const symptoms = detector.judge({
      now: snapshot.takenAt,
      wallAheadMs: snapshot.wallAheadMs ?? 0,
      target: name,
      known: target,
      limits: code.limits,
      usual: usualOf(detector, target, snapshot.takenAt),
    });
    const durationMs = monotonicMs() - startedAt;
    const asked = { detector, name, target, now: snapshot.takenAt };
    const verdict =
      symptoms === undefined ? declinedVerdict(asked) : judgedVerdict(asked, symptoms);
    return [{ ...run, verdict, durationMs }];
  } catch (thrown) {
    const crash = crashEvent({ detector, name, thrown, at: snapshot.takenAt });
    return [{ ...run, verdict: unjudgedVerdict(detector, name, CRASHED), crash }];
  }
}

interface Asked {
  readonly detector: Detector;
  readonly name: string;
  readonly target: TargetSnapshot;
  readonly now: Instant;
}

function judgedVerdict(asked: Asked, symptoms: readonly Symptom[]): Verdict {
  const { detector, name } = asked;
  const rank = (symptom: Symptom) => severityRank(symptom.severity ?? detector.severity);
  return {
    target: name,
    code: detector.code,
    outcome: "judged",
    symptoms: symptoms
      .toSorted((a, b) => rank(b) - rank(a))
      .map((symptom) => ({ ...symptom, evidence: roundedEvidence(symptom.evidence) })),
    observedAt: observedAt(asked),
  };
}

function declinedVerdict(asked: Asked): Verdict {
  const { detector, name, target } = asked;
  const missing = missingFacts(detector, target, asked.now);
  if (missing !== undefined) return unjudgedVerdict(detector, name, missing);
  const because = `what was seen does not tell: it takes ${detector.lacks ?? "more"}`;
  return {
    ...unjudgedVerdict(detector, name, { because, isUnavailable: false }),
    observedAt: observedAt(asked),
  };
}

/** When the newest of the facts came that decide; now, where all of them stand still by nature. */
function observedAt({ detector, target, now }: Asked): Instant {
  const deciding = [...detector.needs, ...detector.needsAny].filter(
    (fact) => !STANDING_FACTS.has(fact),
  );
  const seen = deciding.flatMap((fact) => {
    const known = target.facts[fact];
    return known?.state === "known" ? [known.at] : [];
  });
  return seen.length === 0 ? now : Math.max(...seen);
}

function unjudgedVerdict(
  detector: Detector,
  target: string,
  obstacle: Obstacle,
): Extract<Verdict, { outcome: "unjudged" }> {
  return { target, code: detector.code, outcome: "unjudged", ...obstacle };
}

/** Baselines of the code that are past the floor; the others are withheld. */
function usualOf(
  detector: Detector,
  target: TargetSnapshot,
  now: Instant,
): Readonly<Record<string, Baseline | undefined>> {
  const isLearnt = (baseline: Baseline | undefined) =>
    baseline !== undefined &&
    now - baseline.since >= BASELINE_AGE_MS &&
    baseline.weight >= BASELINE_WEIGHT;
  const entries = detector.learns.map(
    (name) => [name, target.baselines[`${detector.code}/${name}`]] as const,
  );
  return Object.fromEntries(entries.filter(([, baseline]) => isLearnt(baseline)));
}

function crashEvent(crash: {
  readonly detector: Detector;
  readonly name: string;
  readonly thrown: unknown;
  readonly at: Instant;
}): AgentEvent {
  const { detector, name, thrown, at } = crash;
  return {
    kind: "detector-crashed",
    at,
    detector: detector.code,
    target: name,
    ...crashText(thrown),
  };
}
