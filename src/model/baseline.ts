import type { Instant } from "./time.ts";

/** One value with its weight (calls, polls), to be learnt. */
export interface Sample {
  readonly value: number;
  readonly weight: number;
}

/** What is usual: an exponentially weighted mean, half-life 30 min, of one epoch. */
export interface Baseline {
  readonly mean: number;
  /** Weight learnt in all (not decayed): compared with the floor of 200. */
  readonly weight: number;
  readonly since: Instant;
}
