import type { MetricsObservation } from "../model/observation.ts";
import { type CallCounts, type CallFacts, createCallCounts } from "./call-counts.ts";
import { parseSample, type Sample } from "./exposition.ts";
import type { MetricFamily } from "./families/family.ts";
import { FAMILIES } from "./families/index.ts";
import { createLineReader } from "./lines.ts";
import { PROCESS_PREFIX, type ProcessFacts, processFact } from "./process-metrics.ts";

/** What one scrape says, whatever the family's names. */
export type CallMetrics = Omit<MetricsObservation, "source" | "kind" | "target" | "at">;

/** Reads an exposition piece by piece. */
export interface CallMetricsReader {
  feed(bytes: Uint8Array): void;
  /** `undefined` where the text held no sample at all: it is no exposition. */
  end(): CallMetrics | undefined;
}

const NO_CALLS: CallFacts = { handledByCode: {}, durations: {}, methods: [] };

interface Reading {
  readonly family: MetricFamily;
  readonly counts: CallCounts;
}

/**
 * Reads what an app exposes and keeps the few sums that we want. Only lines that begin as a family's
 * do are parsed, so that an endpoint with a million other samples costs little more than its transport.
 */
export function createCallMetricsReader(): CallMetricsReader {
  const readings: readonly Reading[] = FAMILIES.map((family) => ({
    family,
    counts: createCallCounts(),
  }));
  const prefixes = [PROCESS_PREFIX, ...FAMILIES.map(({ prefix }) => prefix)];
  let process: ProcessFacts = {};
  let isExposition = false;

  const lines = createLineReader((line) => {
    const isWanted = prefixes.some((prefix) => line.startsWith(prefix));
    if (!isWanted && isExposition) return;
    const sample = parseSample(line);
    if (sample === undefined) return;
    isExposition = true;
    if (!isWanted || !isCount(sample)) return;
    process = { ...process, ...processFact(sample) };
    for (const { family, counts } of readings) {
      if (sample.name.startsWith(family.prefix)) family.add(sample, counts);
    }
  });
  return {
    feed: lines.feed,
    end() {
      lines.end();
      return isExposition ? { ...callsOf(readings), ...process } : undefined;
    },
  };
}

/** Greater numbers are no counts any more, and their sums no numbers. */
function isCount({ value }: Sample): boolean {
  return value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}

/**
 * Two families of one app count the same calls: what one counts is taken from the first that does, and
 * not added up. Durations may come from another than the counts.
 */
function callsOf(readings: readonly Reading[]): CallMetrics {
  const found = readings.flatMap(({ family, counts }) => {
    const facts = counts.facts();
    return facts === undefined ? [] : [{ name: family.name, facts }];
  });
  const all = found.map(({ facts }) => facts);
  const counting = all.find(({ methods }) => methods.length > 0) ?? all[0] ?? NO_CALLS;
  const timing = all.find(({ durations }) => Object.keys(durations).length > 0) ?? NO_CALLS;
  return { families: found.map(({ name }) => name), ...counting, durations: timing.durations };
}
