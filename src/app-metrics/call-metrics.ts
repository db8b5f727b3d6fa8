import { handledCalls } from "../model/call-series.ts";
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

const PREFIXES = [...new Set([PROCESS_PREFIX, ...FAMILIES.map(({ prefix }) => prefix)])];

/**
 * How the lines that we want begin, most of a million others not. The name may stand in quotes within the
 * braces, and have other characters there that are told as underscores.
 */
const WANTED = new RegExp(
  `^(?:\\{\\s*")?(?:${PREFIXES.map((prefix) => prefix.replaceAll("_", "[\\W_]")).join("|")})`,
);

const NO_CALLS: CallFacts = { handledByCode: {}, durations: {}, methods: [] };

interface Found {
  readonly name: string;
  readonly facts: CallFacts;
}

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
  let process: ProcessFacts = {};
  let isExposition = false;

  const lines = createLineReader((line) => {
    const isWanted = WANTED.test(line);
    if (!isWanted && isExposition) return;
    const sample = parseSample(line);
    if (sample === undefined) return;
    isExposition = true;
    if (!isWanted || !isCount(sample)) return;
    if (sample.name.startsWith(PROCESS_PREFIX)) process = { ...process, ...processFact(sample) };
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
 * Two families of one app count the same calls: what one counts is taken from one, and not added up. That
 * one is told first. Durations may come from another.
 */
function callsOf(readings: readonly Reading[]): CallMetrics {
  const found = readings.flatMap(({ family, counts }) => {
    const facts = counts.facts();
    return facts === undefined ? [] : [{ name: family.name, facts }];
  });
  const believed = believedOf(found);
  if (believed === undefined) return { families: [], ...NO_CALLS };
  const all = [believed, ...found.filter((each) => each !== believed)];
  const timing = all.find(({ facts }) => Object.keys(facts.durations).length > 0) ?? believed;
  const { durations } = timing.facts;
  return { families: all.map(({ name }) => name), ...believed.facts, durations };
}

/**
 * The first that counts methods, and at least half as many calls as any other: a library may be
 * registered and not installed, or on one server of two.
 */
function believedOf(found: readonly Found[]): Found | undefined {
  const most = Math.max(0, ...found.map(({ facts }) => handledCalls(facts)));
  return (
    found.find(({ facts }) => facts.methods.length > 0 && 2 * handledCalls(facts) >= most) ??
    found[0]
  );
}
