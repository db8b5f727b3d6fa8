import type { Instant } from "./time.ts";

/** The agent's own process, read at a scrape; what cannot be read is absent. */
export interface ProcessReading {
  readonly cpuSeconds: number;
  readonly residentBytes?: number;
  readonly startedAt: Instant;
  readonly openFds?: number;
  readonly maxFds?: number;
}
