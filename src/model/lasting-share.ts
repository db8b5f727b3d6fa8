import type { Outcomes } from "./bad-share.ts";
import type { Timed } from "./counters.ts";

/** The least time over which a share is taken. */
const SPAN_MS = 60_000;

/** A share that goes on: of each minute of a time, and of the whole of it. */
export interface LastingShare {
  readonly bad: number;
  readonly calls: number;
  /** 0..1, of the whole time. */
  readonly ratio: number;
  readonly from: number;
  readonly ms: number;
  readonly minutes: readonly { readonly bad: number; readonly calls: number }[];
}

/**
 * The share in every minute up to now, for as long as was asked: what goes on is told from one event,
 * as a scan is, that a window may hold whole. `undefined` while the polls do not reach back so far.
 */
export function lastingShare<P extends Timed>(
  polls: readonly P[],
  lastingMs: number,
  between: (from: P, to: P) => Outcomes,
): LastingShare | undefined {
  const newest = polls.at(-1);
  const minutes: Outcomes[] = [];
  let to = newest;
  while (newest !== undefined && to !== undefined && newest.at - to.at < lastingMs) {
    const end: P = to;
    const from = polls.findLast((poll) => end.at - poll.at >= SPAN_MS);
    // Across a gap nobody knows in which minute it was.
    if (from === undefined || end.at - from.at > 2 * SPAN_MS) return undefined;
    minutes.push(between(from, end));
    to = from;
  }
  if (newest === undefined || to === undefined) return undefined;
  const bad = minutes.reduce((sum, minute) => sum + minute.bad, 0);
  const calls = minutes.reduce((sum, minute) => sum + minute.calls, 0);
  const ratio = calls === 0 ? 0 : bad / calls;
  return { bad, calls, ratio, from: to.at, ms: newest.at - to.at, minutes };
}
