import { type DurationBuckets, type MethodCounts, MOST_METHODS } from "../model/method-counts.ts";
import { present } from "../model/present.ts";
import type { StatusName } from "../model/status.ts";
import { createStarts, type Starts } from "./starts.ts";

type ByCode = Partial<Record<StatusName, number>>;

/** What one metric family says of the calls that the app's server handled. */
export interface CallFacts {
  readonly started?: number;
  readonly inFlight?: number;
  readonly handledByCode: Readonly<ByCode>;
  readonly answered?: Readonly<ByCode>;
  readonly unregistered?: number;
  readonly durations: Readonly<Partial<Record<StatusName, DurationBuckets>>>;
  readonly methods: readonly MethodCounts[];
}

/** Adds the samples of one scrape up; the sums are what the family counts over all its labels. */
export interface CallCounts {
  readonly starts: Starts;
  /** Calls in flight now. */
  active(count: number): void;
  handled(method: string, code: StatusName, count: number): void;
  /** Messages that the server sent on the calls of a method. */
  sent(method: string, count: number): void;
  /** Of the handled calls with a code, those on which the server had sent nothing. */
  unanswered(code: StatusName, count: number): void;
  /** Of the handled calls, those of methods that nobody registered. */
  unregistered(count: number): void;
  /**
   * One bucket of a cumulative histogram. Of the calls with a code, or where the histogram has none, of
   * a method.
   */
  bucket(of: { readonly code: StatusName } | { readonly method: string }, bucket: Bucket): void;
  /** `undefined` while nothing was counted. */
  facts(): CallFacts | undefined;
}

interface Bucket {
  /** Infinite for the last; `undefined` where its bound was none. */
  readonly upperMs: number | undefined;
  readonly count: number;
}

type Buckets = Map<number, number>;

const MAX_METHODS = 5_000;
const MAX_BUCKETS = 200;

export function createCallCounts(): CallCounts {
  const starts = createStarts();
  let inFlight: number | undefined;
  let unregistered: number | undefined;
  const byCode: ByCode = {};
  const unansweredByCode: ByCode = {};
  const byMethod = new Map<string, ByCode>();
  const sentByMethod = new Map<string, number>();
  const bucketsByCode = new Map<StatusName, Buckets>();
  const bucketsByMethod = new Map<string, Buckets>();

  const methodOf = (method: string) => {
    const known = byMethod.get(method);
    if (known !== undefined || byMethod.size >= MAX_METHODS) return known;
    const fresh: ByCode = {};
    byMethod.set(method, fresh);
    return fresh;
  };
  return {
    starts,
    active(count) {
      inFlight = (inFlight ?? 0) + count;
    },
    handled(method, code, count) {
      add(byCode, code, count);
      add(methodOf(method) ?? {}, code, count);
    },
    sent(method, count) {
      if (sentByMethod.has(method) || sentByMethod.size < MAX_METHODS)
        sentByMethod.set(method, (sentByMethod.get(method) ?? 0) + count);
    },
    unanswered(code, count) {
      add(unansweredByCode, code, count);
    },
    unregistered(count) {
      unregistered = (unregistered ?? 0) + count;
    },
    bucket(of, bucket) {
      if ("code" in of) addBucket(bucketsByCode, of.code, bucket);
      else if (bucketsByMethod.has(of.method) || bucketsByMethod.size < MAX_METHODS)
        addBucket(bucketsByMethod, of.method, bucket);
    },
    facts() {
      const started = starts.sum((method) => byMethod.has(method));
      if (started === undefined && byMethod.size === 0 && bucketsByCode.size === 0)
        return undefined;
      const durations = [...bucketsByCode].map(([code, buckets]) => [code, histogramOf(buckets)]);
      return {
        ...present({ started, inFlight }),
        handledByCode: byCode,
        ...present({ answered: answeredOf(byCode, unansweredByCode), unregistered }),
        durations: Object.fromEntries(durations) as CallFacts["durations"],
        methods: busiest(byMethod).map((counts) => {
          const buckets = bucketsByMethod.get(counts.method);
          const durations = buckets && histogramOf(buckets);
          return { ...counts, ...present({ sent: sentByMethod.get(counts.method), durations }) };
        }),
      };
    },
  };
}

/** Only of the codes whose unanswered calls are counted. */
function answeredOf(handled: ByCode, unanswered: ByCode): ByCode | undefined {
  const codes = Object.keys(unanswered) as StatusName[];
  if (codes.length === 0) return undefined;
  const count = (code: StatusName) => (handled[code] ?? 0) - (unanswered[code] ?? 0);
  return Object.fromEntries(codes.map((code) => [code, Math.max(0, count(code))]));
}

function add(sums: ByCode, code: StatusName, count: number): void {
  sums[code] = (sums[code] ?? 0) + count;
}

function addBucket<K>(all: Map<K, Buckets>, key: K, { upperMs, count }: Bucket): void {
  if (upperMs === undefined) return;
  const buckets = all.get(key) ?? new Map<number, number>();
  all.set(key, buckets);
  const before = buckets.get(upperMs);
  if (before !== undefined || buckets.size < MAX_BUCKETS)
    buckets.set(upperMs, (before ?? 0) + count);
}

function busiest(byMethod: ReadonlyMap<string, ByCode>): CallFacts["methods"] {
  const total = (sums: ByCode) => Object.values(sums).reduce((sum, count) => sum + count, 0);
  return [...byMethod]
    .map(([method, handledByCode]) => ({ method, handledByCode, calls: total(handledByCode) }))
    .sort((a, b) => b.calls - a.calls)
    .slice(0, MOST_METHODS)
    .map(({ method, handledByCode }) => ({ method, handledByCode }));
}

/** The finite bounds, and one count more: the last bucket's bound is infinite, which JSON has not. */
function histogramOf(buckets: Buckets): DurationBuckets {
  const finite = [...buckets.keys()].filter(Number.isFinite).sort((a, b) => a - b);
  const counts = finite.map((upper) => buckets.get(upper) ?? 0);
  const all = buckets.get(Number.POSITIVE_INFINITY) ?? counts.at(-1) ?? 0;
  return { upperMs: finite, counts: [...counts, all] };
}
