import type { FindingsReport } from "../../model/finding.ts";
import type { Settings } from "../../model/settings.ts";
import type { Snapshot } from "../../model/snapshot.ts";
import { AGENT_TARGET } from "../../model/target.ts";
import type { Instant } from "../../model/time.ts";
import type { Sink } from "../sink.ts";
import { Accumulator, type Point } from "./accumulator.ts";
import { CONTENT_TYPES, exposition, type Told } from "./exposition.ts";
import { FAMILIES } from "./families/index.ts";
import type {
  Build,
  Code,
  Family,
  Feed,
  Labels,
  ProcessReading,
  Sample,
  Scrape,
} from "./family.ts";
import { negotiate } from "./negotiate.ts";

/** What the sink reads at a scrape: always the latest state, never a measurement. */
export interface PrometheusOptions {
  readonly snapshot: () => Snapshot;
  readonly report: () => FindingsReport;
  /** The settings that run now; another object after a reload. */
  readonly settings: () => Settings;
  readonly process: () => ProcessReading;
  readonly now: () => Instant;
  /** Every code with its layer: which series there can be. */
  readonly codes: readonly Code[];
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
  const growing = running.filter(({ feed }) => feed.read === undefined || isFed(feed));
  const accumulator = new Accumulator(
    growing
      .map(({ family }) => family)
      .filter(({ type }) => type === "counter" || type === "histogram"),
    MOST_ACCUMULATED,
  );
  const omitted = new Set<string>();
  let settings: Settings | undefined;

  const follow = (): Settings => {
    const current = options.settings();
    if (current !== settings) {
      settings = current;
      accumulator.keepOnly(isConfigured(current));
      startSeries(running, accumulator, { settings: current, codes: options.codes });
    }
    return current;
  };
  const feedAll = (samplesOf: (feed: Feed) => readonly Sample[] | undefined) => {
    const isWanted = isConfigured(follow());
    for (const { family, feed } of running) {
      for (const sample of samplesOf(feed) ?? []) {
        if (isWanted(sample.labels)) accumulator.add(family.name, sample);
      }
    }
  };
  follow();

  return {
    name: "prometheus",
    observe: (observation) => feedAll((feed) => feed.observe?.(observation)),
    hear: (event) => feedAll((feed) => feed.hear?.(event)),
    change: (change) => feedAll((feed) => feed.change?.(change)),
    async render(accept) {
      const scrape: Scrape = {
        settings: follow(),
        codes: options.codes,
        build: options.build,
        now: options.now(),
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

/** Bounds what is remembered in order to count each omitted series once. */
const MOST_OMITTED = 10_000;

function isFed(feed: Feed): boolean {
  return feed.observe !== undefined || feed.hear !== undefined || feed.change !== undefined;
}

/** Every family with its points, the gauges cut where the room ends: first come, first told. */
function tell(
  state: {
    readonly running: readonly Running[];
    readonly accumulated: ReadonlyMap<string, readonly Point[]>;
    readonly scrape: Scrape;
  },
  room: number,
): { readonly families: readonly Told[]; readonly omitted: readonly string[] } {
  const omitted: string[] = [];
  let left = room;
  const families = state.running.map(({ family, feed }): Told => {
    const read = feed.read?.(state.scrape) ?? [];
    const fitting = read.slice(0, left);
    left -= fitting.length;
    omitted.push(...read.slice(fitting.length).map((sample) => family.name + keyText(sample)));
    const points = fitting.map(({ labels, value }): Point => ({ suffix: "", labels, value }));
    return { family, points: [...points, ...(state.accumulated.get(family.name) ?? [])] };
  });
  return { families, omitted };
}

function keyText({ labels }: Sample): string {
  return JSON.stringify(labels);
}

function startSeries(
  running: readonly Running[],
  accumulator: Accumulator,
  plan: { readonly settings: Settings; readonly codes: readonly Code[] },
): void {
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
