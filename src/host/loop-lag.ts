import type { Clock } from "../model/time.ts";

/** A tenth of a second: what matters is longer. What ten wake-ups a second cost is in docs/performance.md. */
const STEP_MS = 100;
/** Ten minutes of steps; a window that nobody closes grows no further. */
const MAX_SAMPLES = 6_000;
const QUANTILE = 0.99;

export interface LoopLag {
  /** The 99th percentile of the window since the last call, in ms; begins a new window. */
  take(): { readonly p99Ms: number; readonly windowMs: number };
  stop(): void;
}

/**
 * Measures how late our event loop runs what is due.
 *
 * One sample per step of *time*: a stall of 3 s counts as the thirty steps that fell into it, each as
 * late as it was. perf_hooks' own histogram counts it once, so that the 99th percentile of 15 s would
 * not see it, though a measurement begun in that window was wrong with a probability of a fifth.
 */
export function startLoopLag(clock: Clock): LoopLag {
  const stopper = new AbortController();
  let samples: number[] = [];
  let sinceMs = clock.monotonicMs();

  const sampleUntilStopped = async () => {
    while (!stopper.signal.aborted) {
      const startedMs = clock.monotonicMs();
      await clock.sleep(STEP_MS, stopper.signal);
      const lagMs = Math.max(0, clock.monotonicMs() - startedMs - STEP_MS);
      for (let left = lagMs; left >= 0 && samples.length < MAX_SAMPLES; left -= STEP_MS) {
        samples.push(left);
      }
    }
  };
  sampleUntilStopped().catch(() => {
    // The signal ended the sleep: that is how it stops.
  });

  return {
    take() {
      const nowMs = clock.monotonicMs();
      const sorted = samples.toSorted((a, b) => a - b);
      const p99Ms = sorted[Math.ceil(QUANTILE * sorted.length) - 1] ?? 0;
      const windowMs = nowMs - sinceMs;
      samples = [];
      sinceMs = nowMs;
      return { p99Ms, windowMs };
    },
    stop: () => stopper.abort(),
  };
}
