import type { MetricsObservation } from "../model/observation.ts";
import type { Sample } from "./exposition.ts";

export type ProcessFacts = Pick<MetricsObservation, "openFds" | "maxFds" | "processStartedAt">;

/** How the names of the process metrics begin, in every client library. */
export const PROCESS_PREFIX = "process_";

/** What a sample of Prometheus' process metrics says; `undefined` for the others. */
export function processFact({ name, value }: Sample): ProcessFacts | undefined {
  switch (name) {
    case "process_open_fds":
      return { openFds: value };
    case "process_max_fds":
      return { maxFds: value };
    case "process_start_time_seconds":
      return { processStartedAt: Math.round(value * 1_000) };
    default:
      return undefined;
  }
}
