import { type DurationBuckets, type MethodCounts, MOST_METHODS } from "../model/method-counts.ts";

/**
 * Adds what two scrapes prove of the durations of cancelled and expired calls where histograms know
 * methods but no codes: of the calls of a method that ended in a bucket, all but those that ended
 * otherwise were cancelled. What is proven of gaps and of methods adds up. `undefined` = no histogram.
 */
export function addedProven(
  sum: DurationBuckets | undefined,
  before: readonly MethodCounts[] | undefined,
  after: readonly MethodCounts[],
): DurationBuckets | undefined {
  const upperMs = after.find(({ durations }) => durations !== undefined)?.durations?.upperMs;
  if (upperMs === undefined) return undefined;
  const known = new Map(before?.map((counts) => [counts.method, counts]));
  const isTold = before !== undefined && before.length < MOST_METHODS;
  const proven = after.flatMap((counts) => {
    const last = known.get(counts.method) ?? (isTold ? NOTHING : undefined);
    const isSame = counts.durations?.upperMs.join() === upperMs.join();
    return last === undefined || !isSame ? [] : [provenOf(last, counts)];
  });
  const gained = upperMs.concat(0).map((_upper, index) => sumOf(proven, index));
  const kept = sum?.upperMs.join() === upperMs.join() ? sum.counts : [];
  return { upperMs, counts: gained.map((count, index) => count + (kept[index] ?? 0)) };
}

const NOTHING: Omit<MethodCounts, "method"> = { handledByCode: {} };

/** Of one method, cumulative over the buckets. */
function provenOf(
  before: Omit<MethodCounts, "method">,
  { handledByCode, durations }: MethodCounts,
): readonly number[] {
  const cancelled = cancelledOf(handledByCode) - cancelledOf(before.handledByCode);
  const others = allOf(handledByCode) - allOf(before.handledByCode) - cancelled;
  const counts = durations?.counts ?? [];
  const gained = counts.map((count, index) => count - (before.durations?.counts[index] ?? 0));
  let sum = 0;
  return gained.map((count, index) => {
    const inBucket = count - (gained[index - 1] ?? 0);
    sum += Math.min(cancelled, Math.max(0, inBucket - others));
    return sum;
  });
}

function cancelledOf({
  CANCELLED = 0,
  DEADLINE_EXCEEDED = 0,
}: MethodCounts["handledByCode"]): number {
  return CANCELLED + DEADLINE_EXCEEDED;
}

function allOf(handledByCode: MethodCounts["handledByCode"]): number {
  return Object.values(handledByCode).reduce((sum, count) => sum + count, 0);
}

function sumOf(proven: readonly (readonly number[])[], index: number): number {
  return proven.reduce((sum, counts) => sum + (counts[index] ?? 0), 0);
}
