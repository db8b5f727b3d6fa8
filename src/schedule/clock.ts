import { monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout as delay } from "node:timers/promises";
import type { Clock, Random } from "../model/time.ts";

/** The real clock: the only place of the program that touches `Date`, performance and timers. */
export const systemClock: Clock = {
  now: ownNow,
  shown: (at) => at + setByMs(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    // A timer takes 31 bits; a longer sleep wakes up in between.
    for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
      await delay(Math.min(left, LONGEST_TIMER_MS), undefined, signal ? { signal } : {});
    }
    signal?.throwIfAborted();
  },
  deadline(ms, parent) {
    // Not AbortSignal.timeout: below AbortSignal.any nothing holds it, so that Node 20 collects it with
    // its timer, and the wait never ends. A timer of our own holds the controller until it fires.
    const timeout = new AbortController();
    const isUp = () => timeout.abort(new DOMException("the time is up", "TimeoutError"));
    setTimeout(isUp, Math.min(Math.max(0, Math.ceil(ms)), LONGEST_TIMER_MS)).unref();
    return parent === undefined ? timeout.signal : AbortSignal.any([timeout.signal, parent]);
  },
  watchSteps(ms) {
    // The histogram ticks without JavaScript, which is two thirds of what a timer of ours costs.
    const steps = monitorEventLoopDelay({ resolution: ms });
    steps.enable();
    const shareUpTo = (nth: number) => (steps.count - nth + 1) / steps.count;
    return {
      get count() {
        return steps.count;
      },
      get meanMs() {
        return steps.mean / NS_PER_MS;
      },
      longestMs: (nth) => steps.percentile(100 * shareUpTo(nth)) / NS_PER_MS,
      reset: () => steps.reset(),
      stop: () => void steps.disable(),
    };
  },
};

const NS_PER_MS = 1_000_000;

/** Finer than this the two clocks of one machine are not read. */
const GRAIN_MS = 10;

function ownNow(): number {
  return Math.floor(performance.timeOrigin + performance.now());
}

/** By how much the wall clock was set since the program began; 0 where it was not. */
function setByMs(): number {
  return Math.round((Date.now() - ownNow()) / GRAIN_MS) * GRAIN_MS;
}

const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Not for secrets: jitter and trace ids. */
export const systemRandom: Random = () => Math.random();
