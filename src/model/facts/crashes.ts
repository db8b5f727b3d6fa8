import type { Instant } from "../time.ts";

/** Detectors that threw or ran too long; by code. On the reserved target. */
export interface Crashes {
  readonly detectors: Readonly<
    Record<
      string,
      {
        readonly crashes: number;
        readonly lastAt: Instant;
        readonly errorText: string;
        /** Its last evaluation threw. */
        readonly isBroken: boolean;
        /** Evaluations in a row longer than each of these, in ms, newest last, at most 3. */
        readonly lastDurationsMs: readonly number[];
      }
    >
  >;
}
