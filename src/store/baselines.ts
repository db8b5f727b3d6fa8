import type { Baseline, Sample } from "../model/baseline.ts";
import type { Instant } from "../model/time.ts";
import { definedOnly } from "./defined-only.ts";

const HALF_LIFE_MS = 30 * 60_000;
/** Samples lie no closer: what is judged once a second is measured once in ten. */
const LEARN_EVERY_MS = 10_000;
/** A gap (the source was away) is no reason to believe one sample more. */
const LONGEST_STEP_MS = 60_000;
/** A fault that lasts for a day is what is usual. */
const FROZEN_AT_MOST_MS = 86_400_000;

const MOST_BASELINES = 200;

/** What a judgement would teach, of one target. */
export interface Lesson {
  readonly now: Instant;
  readonly target: string;
  /** By `code/name`. */
  readonly samples: Readonly<Record<string, Sample>>;
  /** Codes that are pending or active on this target: what is sick is not usual. */
  readonly frozen: ReadonlySet<string>;
}

/** A baseline with what is needed to go on learning; plain JSON. */
export interface Learning {
  readonly baseline: Baseline;
  readonly learntAt: Instant;
  readonly frozenSince?: Instant;
}

/** One step of learning. */
interface Step {
  readonly sample: Sample;
  /** Time since the step before. */
  readonly elapsedMs: number;
  readonly frozen: boolean;
  readonly now: Instant;
}

/**
 * What is usual after one more sample: an exponentially weighted mean with a half-life of 30 min. While
 * little is learnt it is the plain weighted mean, so that the first sample is no more than the others.
 * A sample without weight (no call ended) teaches nothing.
 */
export function learn(baseline: Baseline | undefined, step: Step): Baseline | undefined {
  const { sample, elapsedMs, frozen, now } = step;
  if (frozen || sample.weight <= 0 || !Number.isFinite(sample.value)) return baseline;
  if (baseline === undefined) return { mean: sample.value, weight: sample.weight, since: now };
  const weight = baseline.weight + sample.weight;
  const byAge = 1 - 2 ** (-Math.min(elapsedMs, LONGEST_STEP_MS) / HALF_LIFE_MS);
  const share = Math.max(byAge, sample.weight / weight);
  return { ...baseline, weight, mean: baseline.mean + share * (sample.value - baseline.mean) };
}

/** Everything learnt of one target after one more lesson; the same object if nothing was. */
export function learnAll(
  learnings: Readonly<Record<string, Learning>>,
  { now, samples, frozen }: Lesson,
): Readonly<Record<string, Learning>> {
  const room = MOST_BASELINES - Object.keys(learnings).length;
  const learnt = Object.entries(samples)
    .filter(([key], i) => key in learnings || i < room)
    .flatMap(([key, sample]) => {
      const code = key.slice(0, key.indexOf("/"));
      const before = learnings[key];
      const after = learnOn(before, { sample, now, frozen: frozen.has(code) });
      return after === undefined || after === before ? [] : [[key, after] as const];
    });
  return learnt.length === 0 ? learnings : { ...learnings, ...Object.fromEntries(learnt) };
}

/** The same with its own clock: samples that come too soon are skipped, freezing ends after a day. */
function learnOn(
  before: Learning | undefined,
  step: Omit<Step, "elapsedMs">,
): Learning | undefined {
  const { now, frozen } = step;
  if (before === undefined) {
    const baseline = learn(undefined, { ...step, elapsedMs: 0 });
    return baseline && { baseline, learntAt: now };
  }
  const elapsedMs = now - before.learntAt;
  if (elapsedMs < LEARN_EVERY_MS) return before;
  const frozenSince = frozen ? (before.frozenSince ?? now) : undefined;
  const isFrozen = frozenSince !== undefined && now - frozenSince < FROZEN_AT_MOST_MS;
  const baseline = learn(before.baseline, { ...step, elapsedMs, frozen: isFrozen });
  return baseline && { baseline, learntAt: now, ...definedOnly({ frozenSince }) };
}
