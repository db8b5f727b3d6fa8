import type { Timed } from "./counters.ts";

/** A number of things that somebody has, at one moment. */
export interface Level extends Timed {
  readonly value: number;
}

/** What leaks goes on leaking: a pool that stopped growing is a pool. */
const LATELY_MS = 120_000;
/** A pool may give one back now and then. */
const MOST_FALLS_RATIO = 0.1;

/**
 * By how much a level grew over the whole window, if it also grew in its last two minutes and hardly
 * ever fell; `undefined` otherwise, and while the levels do not reach that far.
 */
export function steadyGrowth(
  levels: readonly Level[],
  windowMs: number,
): { readonly grew: number; readonly ms: number } | undefined {
  const newest = levels.at(-1);
  if (newest === undefined) return undefined;
  const from = lastBefore(levels, newest.at - windowMs);
  const lately = lastBefore(levels, newest.at - LATELY_MS);
  if (from === undefined || lately === undefined || newest.value <= lately.value) return undefined;
  const span = levels.slice(levels.indexOf(from));
  const falls = span.filter(({ value }, index) => value < (span[index - 1]?.value ?? 0));
  if (falls.length > MOST_FALLS_RATIO * span.length) return undefined;
  const grew = newest.value - from.value;
  return grew > 0 ? { grew, ms: newest.at - from.at } : undefined;
}

function lastBefore(levels: readonly Level[], at: number): Level | undefined {
  return levels.findLast((level) => level.at <= at);
}
