import type { Clock, StepWatch } from "../model/time.ts";

/** A tenth of a second: what matters is longer. */
const SAMPLE_MS = 100;
/** Two samples: each step wakes the process for nothing else, which docs/performance.md has the price of. */
const SAMPLES_A_STEP = 2;
const STEP_MS = SAMPLES_A_STEP * SAMPLE_MS;
/** Ten minutes of samples; a longer stall says no more. */
const MOST_SAMPLES = 6_000;
const QUANTILE = 0.99;

export interface LoopLag {
  /** The 99th percentile of the window since the last call, in ms; begins a new window. */
  take(): { readonly p99Ms: number; readonly windowMs: number };
  stop(): void;
}

/**
 * Measures how late our event loop runs what is due.
 *
 * One sample per tenth of a second of *time*: a stall of 3 s counts as the thirty that fell into it, each
 * as late as it was. Counted as one, it would not be seen by the 99th percentile of 15 s, though a
 * measurement begun in that window was wrong with a probability of a fifth.
 */
export function startLoopLag(clock: Clock): LoopLag {
  const steps = clock.watchSteps(STEP_MS);
  let sinceMs = clock.monotonicMs();
  return {
    take() {
      const nowMs = clock.monotonicMs();
      const windowMs = nowMs - sinceMs;
      const p99Ms = p99Of(steps, windowMs);
      steps.reset();
      sinceMs = nowMs;
      return { p99Ms, windowMs };
    },
    stop: () => steps.stop(),
  };
}

/** The longest steps decide: of 150 samples two, if no step was late by a sample's time. */
function p99Of(steps: StepWatch, windowMs: number): number {
  const samples = [...samplesOf(untoldLagMs(steps, windowMs), 0)];
  const { count } = steps;
  let seen = 0;
  // The first sample of a step is as late as the step was seen to be; its others were in time.
  const total = () => samples.length + SAMPLES_A_STEP * count - seen;
  // From here on each step has one sample that counts, and it has a rank below those seen.
  const isDecided = (lagMs: number) => lagMs < SAMPLE_MS && seen >= rankOf(total());
  for (let nth = 1; nth <= count; nth += 1) {
    const lagMs = Math.max(0, steps.longestMs(nth) - STEP_MS);
    if (isDecided(lagMs)) break;
    samples.push(...samplesOf(lagMs, samples.length));
    seen = nth;
  }
  const ranked = samples.toSorted((a, b) => b - a);
  return ranked[rankOf(total()) - 1] ?? 0;
}

/** One sample for each tenth of a second that a lag took. */
function samplesOf(lagMs: number, taken: number): readonly number[] {
  const samples: number[] = [];
  for (let left = lagMs; left >= 0 && taken + samples.length < MOST_SAMPLES; left -= SAMPLE_MS) {
    samples.push(left);
  }
  return samples;
}

/** The quantile's place among so many samples, counted from the greatest, which is 1. */
function rankOf(count: number): number {
  return count - Math.ceil(QUANTILE * count) + 1;
}

/**
 * What no step tells of is the window's first and the one of now: two steps at most, where none was late.
 */
function untoldLagMs({ count, meanMs }: StepWatch, windowMs: number): number {
  const toldMs = count === 0 ? 0 : count * meanMs;
  return Math.max(0, windowMs - toldMs - 2 * STEP_MS);
}
