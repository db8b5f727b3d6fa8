import type { FindingsReport } from "../../model/finding.ts";
import type { ProcessReading } from "../../model/process-reading.ts";
import type { Settings } from "../../model/settings.ts";
import type { Snapshot } from "../../model/snapshot.ts";
import { AGENT_TARGET } from "../../model/target.ts";
import type { Clock } from "../../model/time.ts";
import type { Sink } from "../sink.ts";
import { Accumulator, type Point } from "./accumulator.ts";
import { CONTENT_TYPES, exposition, type Told } from "./exposition.ts";
import { FAMILIES } from "./families/index.ts";

import type { Build, Code, Family, Feed, Labels, Plan, Sample, Scrape } from "./family.ts";

import { negotiate } from "./negotiate.ts";

/** What the sink reads at a scrape: always the latest state, never a measurement. */
export interface PrometheusOptions {
  readonly snapshot: () => Snapshot;
  readonly report: () => FindingsReport;
  /** The settings that run now; another object after a reload. */
  readonly settings: () => Settings;
  readonly process: () => ProcessReading;
  readonly clock: Pick<Clock, "now" | "shown">;
  /** Every code with its layer: which series there can be. */
  readonly codes: readonly Code[];
  /** `name:port` of a channel's target text, as the store names upstreams. */
  readonly upstreamOf: (target: string) => string;
  readonly build: Build;
}

export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

export interface PrometheusSink extends Sink {
  /** The answer to a scrape with this Accept header. */
  render(accept: string | undefined): Promise<Exposition>;
}

/** All series of one pod, at most. */
const MOST_SERIES = 1000;
/** Of them those that accumulate: gauges, which alerts are made of, always have the rest. */
const MOST_ACCUMULATED = 600;

interface Running {
  readonly family: Family;
  readonly feed: Feed;
}

/**
 * Accumulates what grows from observations, events and changes, and reads the rest from the latest
 * snapshot and report when it is scraped. A reload starts the series that the new settings know and
 * ends those of targets and probes that they do not.
 */
export function createPrometheusSink(options: PrometheusOptions): PrometheusSink {
  const running = FAMILIES.map((family): Running => ({ family, feed: family.from() }));
  const accumulator = new Accumulator(running.filter(accumulates).map(familyOf), MOST_ACCUMULATED);
  const { follow, add } = createFeeder(running, accumulator, options);
  const observers = running.filter(({ feed }) => feed.observe !== undefined);
  const hearers = running.filter(({ feed }) => feed.hear !== undefined);
  const changed = running.filter(({ feed }) => feed.change !== undefined);
  const omitted = new Set<string>();

  return {
    name: "prometheus",
    observe(observation) {
      follow();
      for (const one of observers) add(one, one.feed.observe?.(observation));
    },
    hear(event) {
      follow();
      for (const one of hearers) add(one, one.feed.hear?.(event));
    },
    change(change) {
      follow();
      for (const one of changed) add(one, one.feed.change?.(change));
    },
    async render(accept) {
      const scrape: Scrape = {
        ...follow(),
        build: options.build,
        now: options.clock.now(),
        shown: options.clock.shown,
        snapshot: options.snapshot(),
        report: options.report(),
        process: options.process(),
        seriesDropped: accumulator.folded + omitted.size,
      };
      const accumulated = await accumulator.collect();
      const room = MOST_SERIES - accumulator.series;
      const told = tell({ running, accumulated, scrape }, room);
      for (const series of told.omitted) if (omitted.size < MOST_OMITTED) omitted.add(series);
      const format = negotiate(accept);
      return { contentType: CONTENT_TYPES[format], body: exposition(told.families, format) };
    },
  };
}

/** Keeps the accumulated series in step with the settings that run. */
function createFeeder(
  running: readonly Running[],
  accumulator: Accumulator,
  { settings, codes, upstreamOf }: PrometheusOptions,
): {
  /** The plan of now; after a reload the series of what is gone have ended, and new ones begun. */
  readonly follow: () => Plan;
  readonly add: (to: Running, samples: readonly Sample[] | undefined) => void;
} {
  let plan: Plan | undefined;
  let isWanted: (labels: Labels) => boolean = () => false;
  return {
    follow() {
      const current = settings();
      if (plan?.settings === current) return plan;
      plan = { settings: current, codes, upstreamOf };
      isWanted = isConfigured(current);
      accumulator.keepOnly(isWanted);
      startSeries(running, accumulator, plan);
      return plan;
    },
    add({ family }, samples = []) {
      for (const sample of samples) {
        if (isWanted(sample.labels)) accumulator.add(family.name, sample);
      }
    },
  };
}

/** Bounds what is remembered in order to count each omitted series once. */
const MOST_OMITTED = 10_000;

/** Counters and histograms that are fed; a counter that is only read is somebody else's. */
function accumulates({ family: { type }, feed }: Running): boolean {
  const isFed = [feed.observe, feed.hear, feed.change].some((way) => way !== undefined);
  return isFed && (type === "counter" || type === "histogram");
}

function familyOf({ family }: Running): Family {
  return family;
}

/**
 * Every family with its points. Gauges share the room: the smallest families are told whole, what they
 * leave is the larger ones', so that none starves another; of those that are cut the least values go
 * first, as a severity of 0.
 */
function tell(
  state: {
    readonly running: readonly Running[];
    readonly accumulated: ReadonlyMap<string, readonly Point[]>;
    readonly scrape: Scrape;
  },
  room: number,
): { readonly families: readonly Told[]; readonly omitted: readonly string[] } {
  const read = state.running.map(({ family, feed }) => ({
    family,
    samples: feed.read?.(state.scrape) ?? [],
  }));
  const omitted: string[] = [];
  const kept = new Map<Family, ReadonlySet<Sample>>();
  let left = room;
  for (const [index, { family, samples }] of read.toSorted(bySize).entries()) {
    const share = Math.floor(left / (read.length - index));
    const greatestFirst = samples.toSorted((a, b) => b.value - a.value);
    kept.set(family, new Set(greatestFirst.slice(0, share)));
    omitted.push(...greatestFirst.slice(share).map((sample) => family.name + keyText(sample)));
    left -= Math.min(share, samples.length);
  }
  const families = read.map(({ family, samples }): Told => {
    const points = samples
      .filter((sample) => kept.get(family)?.has(sample))
      .map(({ labels, value }): Point => ({ suffix: "", labels, value }));
    return { family, points: [...points, ...(state.accumulated.get(family.name) ?? [])] };
  });
  return { families, omitted };
}

function bySize(
  a: { readonly samples: readonly Sample[] },
  b: { readonly samples: readonly Sample[] },
): number {
  return a.samples.length - b.samples.length;
}

function keyText({ labels }: Sample): string {
  return JSON.stringify(labels);
}

function startSeries(running: readonly Running[], accumulator: Accumulator, plan: Plan): void {
  for (const { family, feed } of running) {
    for (const labels of feed.starts?.(plan) ?? []) {
      if (!accumulator.has(family.name, labels)) accumulator.start(family.name, labels);
    }
  }
}

/** Whether the target and the probe that these labels name are configured. */
function isConfigured(settings: Settings): (labels: Labels) => boolean {
  const targets = new Set([AGENT_TARGET, ...settings.targets.map(({ name }) => name)]);
  const probes = new Set(settings.probes.map(({ name }) => name));
  const jobs = new Set([...probes].map((name) => `probe/${name}`));
  return ({ target, probe, job }) =>
    (target === undefined || targets.has(target)) &&
    (probe === undefined || probes.has(probe)) &&
    (job === undefined || !job.startsWith("probe/") || jobs.has(job));
}
