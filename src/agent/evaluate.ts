import type { Detector } from "../detectors/detector.ts";
import { runDetectors } from "../findings/run-detectors.ts";
import type { Tracker } from "../findings/tracker.ts";
import type { Sample } from "../model/baseline.ts";
import { crashText } from "../model/crash-text.ts";
import type { AgentEvent } from "../model/event.ts";
import { isDead } from "../model/facts/kept.ts";
import type { FindingChange, FindingsReport } from "../model/finding.ts";
import type { Job } from "../model/job.ts";
import type { Settings } from "../model/settings.ts";
import { knownValue, type Snapshot, type TargetSnapshot } from "../model/snapshot.ts";
import type { Clock, Instant } from "../model/time.ts";
import type { Store } from "../store/store.ts";
import type { plan } from "./plan.ts";

/** What the evaluation reads, and whom it tells. */
export interface EvaluationParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly tracker: Tracker;
  readonly detectors: readonly Detector[];
  readonly plan: typeof plan;
  /** The settings of this moment: a reload changes them. */
  settings(): Settings;
  hear(event: AgentEvent): void;
  change(change: FindingChange): void;
  reconcile(jobs: readonly Job[]): void;
  /** A target began a new epoch, or drains no more: its kept connection may be opened again. */
  epoch(target: string): void;
  /** The kept connection of a target is dead, and a fresh one works. */
  dead(target: string): void;
}

/** What the last evaluation saw; handlers and sinks read it, and never start one. */
export interface Evaluated {
  readonly snapshot: Snapshot;
  readonly report: FindingsReport;
}

export interface Evaluation {
  /** Evaluates now: snapshot, detectors, tracker, sinks, plan. */
  evaluate(): Evaluated;
  /** What is due once a second: evaluates, unless that could hardly show anything new. */
  tick(): void;
  latest(): Evaluated;
}

/** The store takes no samples that lie closer than 10 s: taking them each second would be in vain. */
const LEARN_EVERY_MS = 5_000;

/**
 * While nothing is open and nothing was heard, only time can tell something new: every so many seconds is
 * enough for that, and the other evaluations are half of what the agent costs at rest.
 */
const CALM_TICKS = 5;

/**
 * One turn of the pipeline: all facts at this instant are judged, symptoms become findings, changes
 * are told, what is usual is learnt, and the plan is made anew.
 */
export function createEvaluation(parts: EvaluationParts): Evaluation {
  const { clock, store, tracker, detectors } = parts;
  const lives = new Map<string, Seen>();
  let learntMs = Number.NEGATIVE_INFINITY;
  let last: Evaluated | undefined;
  let heard = 0;
  let skipped = 0;

  const evaluate = (): Evaluated => {
    const now = clock.now();
    const settings = parts.settings();
    const wallAheadMs = clock.shown(now) - now;
    heard = store.heard;
    skipped = 0;
    const seen = store.snapshot(now);
    const snapshot = wallAheadMs === 0 ? seen : { ...seen, wallAheadMs };
    noteLives(snapshot, lives, parts.epoch);
    for (const target of withDeadConnection(snapshot)) parts.dead(target);
    const run = runDetectors({ snapshot, settings, detectors, monotonicMs: clock.monotonicMs });
    for (const event of run.events) parts.hear(event);
    const { verdicts } = run;
    const { history } = store;
    const update = { verdicts, snapshot, settings, now, monotonicMs: clock.monotonicMs(), history };
    for (const change of tracker.update(update)) {
      parts.change(change);
    }
    const report = tracker.report({ snapshot, settings, now });
    if (clock.monotonicMs() - learntMs >= LEARN_EVERY_MS) {
      learntMs = clock.monotonicMs();
      learn(parts, snapshot);
    }
    last = { snapshot, report };
    parts.reconcile(parts.plan(settings, snapshot, report));
    return last;
  };

  const isCalm = (): boolean => {
    if (last === undefined || store.heard !== heard || tracker.hasOpen) return false;
    const now = clock.now();
    const { snapshot } = last;
    const isWallSet = clock.shown(now) - now !== (snapshot.wallAheadMs ?? 0);
    return !isWallSet && Object.values(snapshot.targets).every(isSettled);
  };
  const tick = (): void => {
    if (skipped + 1 < CALM_TICKS && isCalm()) skipped += 1;
    else evaluate();
  };

  return { evaluate, tick, latest: () => last ?? evaluate() };
}

/** Neither starting nor going down: then each second counts. */
function isSettled({ state, quietUntil }: TargetSnapshot): boolean {
  return state === "watched" && quietUntil === undefined;
}

/** What was seen of a target's life at the evaluation before. */
interface Seen {
  readonly epoch: number;
  readonly isQuiet: boolean;
}

/** A new epoch, or a drain that is over without one: the target may be connected to. */
function noteLives(
  snapshot: Snapshot,
  lives: Map<string, Seen>,
  tell: (target: string) => void,
): void {
  for (const [target, { epoch, state, quietUntil }] of Object.entries(snapshot.targets)) {
    const before = lives.get(target);
    const isQuiet = state === "draining" || quietUntil !== undefined;
    lives.set(target, { epoch, isQuiet });
    if (before === undefined) continue;
    if (before.epoch !== epoch || (before.isQuiet && !isQuiet)) tell(target);
  }
}

function withDeadConnection({ targets }: Snapshot): readonly string[] {
  return Object.entries(targets).flatMap(([name, target]) => {
    const kept = knownValue(target, "kept");
    const lastPassedAt = knownValue(target, "xray")?.lastPassedAt;
    return kept !== undefined && isDead(kept, lastPassedAt) ? [name] : [];
  });
}

/** What is usual is learnt; a code that is pending or active on the target learns nothing. */
function learn(parts: EvaluationParts, snapshot: Snapshot): void {
  const { detectors, store, tracker } = parts;
  const now = snapshot.takenAt;
  const learners = detectors.filter((detector) => detector.learns.length > 0);
  for (const [target, known] of Object.entries(snapshot.targets)) {
    const samples = learners.flatMap((detector) =>
      Object.entries(samplesOf(parts, detector, { target, known, now })).map(
        ([name, sample]) => [`${detector.code}/${name}`, sample] as const,
      ),
    );
    store.learn({
      now,
      target,
      samples: Object.fromEntries(samples),
      frozen: tracker.openCodes(target),
    });
  }
}

/** A detector that throws teaches nothing, and harms no other. */
function samplesOf(
  { hear }: EvaluationParts,
  detector: Detector,
  {
    target,
    known,
    now,
  }: { readonly target: string; readonly known: TargetSnapshot; readonly now: Instant },
): Readonly<Record<string, Sample>> {
  try {
    return detector.samples(known);
  } catch (thrown) {
    const crash = crashText(thrown);
    hear({ kind: "detector-crashed", at: now, detector: detector.code, target, ...crash });
    return {};
  }
}
