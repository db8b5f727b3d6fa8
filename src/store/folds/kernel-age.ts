import type { KernelObservation } from "../../model/observation.ts";

/** Cadence of the kernel source; the next read comes no sooner than 2 000 × what the last one cost. */
const CADENCE_MS = 15_000;
const COST_FACTOR = 2_000;

/** 2.5 × the cadence: on a pod with many sockets the reads are dear, and so lie further apart. */
export function kernelAgeMs({ costMs }: KernelObservation): number {
  return 2.5 * Math.max(CADENCE_MS, COST_FACTOR * costMs);
}
