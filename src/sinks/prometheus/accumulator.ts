import { Counter, Histogram, type OpenMetricsContentType, Registry } from "prom-client";
import { type Family, type Labels, type Sample, seriesOf } from "./family.ts";

/** One line to be: `suffix` is `_bucket`, `_sum`, `_count` or nothing. */
export interface Point {
  readonly suffix: string;
  readonly labels: Labels;
  readonly value: number;
  readonly exemplar?: {
    readonly labels: Labels;
    readonly value: number;
    /** Seconds since the Unix epoch. */
    readonly timestamp: number;
  };
}

/** Label values of the one series that stands for all that did not fit. */
const FOLDED = "other";

interface Kept {
  readonly family: Family;
  readonly metric: Counter | Histogram;
  readonly labelSets: Map<string, Labels>;
}

/**
 * What grows between scrapes: counters and histograms, in prom-client's types behind this one file.
 *
 * Nothing but values is asked of prom-client: its text of one format spoils the counters' names in
 * the other, so the registry is never rendered, and its content type is set once, here (exemplars are
 * refused otherwise). Label sets are few by construction; those beyond `mostSeries` are folded.
 */
export class Accumulator {
  readonly #registry = new Registry<OpenMetricsContentType>();
  readonly #families = new Map<string, Kept>();
  readonly #mostSeries: number;
  #series = 0;
  readonly #folded = new Set<string>();

  constructor(families: readonly Family[], mostSeries: number) {
    this.#mostSeries = mostSeries;
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    for (const family of families) {
      const metric = createMetric(family, this.#registry);
      this.#families.set(family.name, { family, metric, labelSets: new Map() });
    }
  }

  /** Label sets that were folded, each counted once. */
  get folded(): number {
    return this.#folded.size;
  }

  /** Lines that a scrape will have. */
  get series(): number {
    return this.#series;
  }

  /** Makes the series exist, at 0. */
  start(name: string, labels: Labels): void {
    const kept = this.#families.get(name);
    if (kept === undefined) return;
    const admitted = this.#admit(kept, labels);
    if (kept.metric instanceof Counter) kept.metric.inc({ labels: admitted, value: 0 });
    else if (admitted === labels) kept.metric.zero(admitted);
  }

  add(name: string, { labels, value, exemplar }: Sample): void {
    const kept = this.#families.get(name);
    if (kept === undefined) return;
    // An empty exemplar would take the place of the one before.
    const shown = exemplar === undefined ? {} : { exemplarLabels: { ...exemplar } };
    const admitted = { labels: this.#admit(kept, labels), value, ...shown };
    if (kept.metric instanceof Counter) kept.metric.inc(admitted);
    else kept.metric.observe(admitted);
  }

  has(name: string, labels: Labels): boolean {
    return this.#families.get(name)?.labelSets.has(keyOf(labels)) ?? false;
  }

  /** Ends every series that is not wanted any more. */
  keepOnly(isWanted: (labels: Labels) => boolean): void {
    for (const { family, metric, labelSets } of this.#families.values()) {
      for (const [key, labels] of labelSets) {
        if (isWanted(labels) || isFold(labels)) continue;
        metric.remove(labels);
        labelSets.delete(key);
        this.#series -= seriesOf(family);
      }
    }
  }

  /** All values now, by family. */
  async collect(): Promise<ReadonlyMap<string, readonly Point[]>> {
    const families = await this.#registry.getMetricsAsJSON();
    return new Map(
      families.map((family) => {
        const values = (family as unknown as { readonly values: readonly RawValue[] }).values;
        return [family.name, values.map((raw) => pointOf(raw, family.name))];
      }),
    );
  }

  /** The labels under which it is kept: its own, or the fold's when there is no room. */
  #admit(kept: Kept, labels: Labels): Labels {
    const key = keyOf(labels);
    const { family, labelSets } = kept;
    if (labelSets.has(key)) return labels;
    const hasRoom = this.#series + seriesOf(family) <= this.#mostSeries;
    if (hasRoom) return this.#keep(kept, labels);

    if (this.#folded.size < MOST_FOLDED) this.#folded.add(`${family.name}${key}`);
    const fold = Object.fromEntries(family.labels.map((label) => [label, FOLDED]));
    return labelSets.has(keyOf(fold)) ? fold : this.#keep(kept, fold);
  }

  #keep({ family, labelSets }: Kept, labels: Labels): Labels {
    labelSets.set(keyOf(labels), labels);
    this.#series += seriesOf(family);
    return labels;
  }
}

/** Bounds what is remembered in order to count each folded label set once. */
const MOST_FOLDED = 10_000;

/** A value as prom-client's JSON has it; its types leave the exemplar out. */
interface RawValue {
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
  readonly metricName?: string;
  readonly exemplar?: {
    readonly labelSet: Labels;
    readonly value: number;
    readonly timestamp: number;
  } | null;
}

function createMetric(
  family: Family,
  registry: Registry<OpenMetricsContentType>,
): Counter | Histogram {
  const { name, help } = family;
  const shared = {
    name,
    help,
    labelNames: [...family.labels],
    enableExemplars: true,
    registers: [registry],
  };
  return family.type === "histogram"
    ? new Histogram({ ...shared, buckets: [...(family.buckets ?? [])] })
    : new Counter(shared);
}

function pointOf({ labels, value, metricName, exemplar }: RawValue, name: string): Point {
  const { le, ...own } = labels;
  const inOrder = Object.entries(le === undefined ? own : { ...own, le }); // `le` last, as all do
  const texts = inOrder.map(([key, label]) => [key, labelText(label)]);
  return {
    suffix: metricName === undefined ? "" : metricName.slice(name.length),
    labels: Object.fromEntries(texts),
    value,
    ...(exemplar === undefined || exemplar === null
      ? {}
      : {
          exemplar: {
            labels: exemplar.labelSet,
            value: exemplar.value,
            timestamp: exemplar.timestamp,
          },
        }),
  };
}

/** `le` comes as a number. OpenMetrics writes 1 as `1.0`; so do we in text, that both are one series. */
function labelText(label: string | number): string {
  if (typeof label === "string") return label;
  return Number.isInteger(label) ? label.toFixed(1) : String(label);
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isFold(labels: Labels): boolean {
  const values = Object.values(labels);
  return values.length > 0 && values.every((label) => label === FOLDED);
}
