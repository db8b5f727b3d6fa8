import type { StatusName } from "./status.ts";

/** As many methods as an observation tells: one more may be there, with a past that was never told. */
export const MOST_METHODS = 200;

/** Calls of one method that the app handled; administrative services are left out. */
export interface MethodCounts {
  readonly method: string;
  readonly handledByCode: Readonly<Partial<Record<StatusName, number>>>;
  /** Messages of the server on all its calls, where the family counts them. */
  readonly sent?: number;
  /** Of all its calls together, where the histogram has no codes. */
  readonly durations?: DurationBuckets;
}

/**
 * A cumulative histogram: `counts[i]` calls took at most `upperMs[i]`. One count more than bounds: all
 * calls, however long.
 */
export interface DurationBuckets {
  readonly upperMs: readonly number[];
  readonly counts: readonly number[];
}
