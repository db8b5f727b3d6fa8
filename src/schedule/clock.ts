import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Random } from "../model/time.ts";

/** The real clock: the only place of the program that touches `Date`, `performance` and timers. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    // A timer takes 31 bits; a longer sleep wakes up in between.
    for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
      await delay(Math.min(left, LONGEST_TIMER_MS), undefined, signal ? { signal } : {});
    }
    signal?.throwIfAborted();
  },
  deadline(ms, parent) {
    const timeout = AbortSignal.timeout(Math.min(Math.max(0, Math.ceil(ms)), LONGEST_TIMER_MS));
    return parent === undefined ? timeout : AbortSignal.any([timeout, parent]);
  },
};

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Not for secrets: jitter and trace ids. */
export const systemRandom: Random = () => Math.random();
