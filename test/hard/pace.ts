import { availableParallelism, loadavg } from "node:os";

/** From SIGTERM to the end; ms. Source: the promise of docs/performance.md. */
const PROMISED_MS = 1_500;

/** What was promised, on a machine that is as crowded as this one now. */
export const mayTakeMs = (): number => PROMISED_MS * crowding();

/** How many programs want each processor: a promise of milliseconds is one of a machine that has some. */
export function crowding(): number {
  return Math.max(1, ...loadavg().map((load) => load / availableParallelism()));
}
