import type { CallCounts } from "../call-counts.ts";
import type { Sample } from "../exposition.ts";

/** The metrics of one library: how it names and spells what all of them count. */
export interface MetricFamily {
  /** As it is told: `families` of an observation. */
  readonly name: string;
  /** How all its sample names begin; others are not parsed. */
  readonly prefix: string;
  /** Adds one sample, whose value is a finite count; a sample that it does not know is passed over. */
  add(sample: Sample, counts: CallCounts): void;
}
