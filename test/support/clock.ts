import { AsyncLocalStorage } from "node:async_hooks";
import type { Clock, Instant } from "../../src/model/time.ts";

/** 2026-01-05T00:00:00Z, a Monday: where a clock that is moved by hand begins. */
export const START: Instant = Date.UTC(2026, 0, 5);

interface Timer {
  readonly atMs: number;
  readonly fire: () => void;
}

/** Work that `advance` waits for; it is at rest while it sleeps on this very clock. */
interface Work {
  sleeping: number;
}

/**
 * A clock that only a test moves.
 *
 * `advance(ms)` visits every due moment in order, starts what is due and resolves when the work given
 * to `during` (or started through `tracked`) has ended or sleeps on this clock. Work that talks to
 * the real world takes its own time: the clock stands still meanwhile, for at most `patienceMs` (5 s).
 * Work that waits for its deadline waits for this clock without sleeping on it: there, say less.
 */
export interface ManualClock extends Clock {
  advance(ms: number, options?: { readonly patienceMs: number }): Promise<void>;
  /** Sets the wall clock alone, as an administrator or NTP does. */
  setWall(instant: Instant): void;
  /** Time passes without anything being run at its moment: a stopped process that goes on. */
  stall(ms: number): Promise<void>;
  /** Runs work that `advance` waits for. */
  during<T>(work: () => Promise<T>): Promise<T>;
  /** The same for a function of any arguments; where `isTracked` is false it is called as it is. */
  tracked<A extends readonly unknown[], T>(
    run: (...args: A) => Promise<T>,
    isTracked?: (...args: A) => boolean,
  ): (...args: A) => Promise<T>;
  /** How many sleeps and deadlines are pending: 0 when all has been cleaned up. */
  readonly pending: number;
}

export function createManualClock(start: Instant = START): ManualClock {
  let own = start;
  let setByMs = 0;
  let monotonic = 1_000;
  const timers = new Set<Timer>();
  const works = new Set<Work>();
  const current = new AsyncLocalStorage<Work>();

  const move = (ms: number) => {
    own += ms;
    monotonic += ms;
  };
  const at = (ms: number, fire: () => void): (() => void) => {
    const timer = { atMs: monotonic + ms, fire };
    timers.add(timer);
    return () => timers.delete(timer);
  };
  const next = () => [...timers].toSorted((a, b) => a.atMs - b.atMs)[0];
  const fireDue = () => {
    const due = [...timers].filter((timer) => timer.atMs <= monotonic);
    for (const timer of due.toSorted((a, b) => a.atMs - b.atMs)) {
      if (timers.delete(timer)) timer.fire();
    }
    return due.length;
  };
  const settle = async (patienceMs: number) => {
    const giveUpAt = performance.now() + patienceMs;
    let quietTurns = 0;
    while (quietTurns < QUIET_TURNS && performance.now() < giveUpAt) {
      await macrotask();
      const fired = fireDue();
      const isBusy = [...works].some((work) => work.sleeping === 0);
      quietTurns = isBusy || fired > 0 ? 0 : quietTurns + 1;
    }
  };
  const during = async <T>(work: () => Promise<T>): Promise<T> => {
    const entry = { sleeping: 0 };
    works.add(entry);
    try {
      return await current.run(entry, work);
    } finally {
      works.delete(entry);
    }
  };

  return {
    now: () => own,
    shown: (instant) => instant + setByMs,
    monotonicMs: () => monotonic,
    get pending() {
      return timers.size;
    },
    setWall(instant) {
      setByMs = instant - own;
    },
    during,
    tracked:
      (run, isTracked = () => true) =>
      (...args) =>
        isTracked(...args) ? during(() => run(...args)) : run(...args),

    async sleep(ms, signal) {
      signal?.throwIfAborted();
      if (ms <= 0) return;
      const work = current.getStore();
      if (work !== undefined) work.sleeping += 1;
      try {
        await new Promise<void>((resolve, reject) => {
          const cancel = at(ms, () => {
            signal?.removeEventListener("abort", abort);
            resolve();
          });
          const abort = () => {
            cancel();
            reject(signal?.reason as Error);
          };
          signal?.addEventListener("abort", abort, { once: true });
        });
      } finally {
        if (work !== undefined) work.sleeping -= 1;
      }
    },

    deadline(ms, parent) {
      const controller = new AbortController();
      const cancel = at(Math.max(0, ms), () => {
        parent?.removeEventListener("abort", abort);
        controller.abort(new DOMException("The operation timed out", "TimeoutError"));
      });
      const abort = () => {
        cancel();
        controller.abort(parent?.reason);
      };
      if (parent?.aborted) abort();
      parent?.addEventListener("abort", abort, { once: true });
      return controller.signal;
    },

    // As Node's own does, which begins to count with the first tick after a reset.
    watchSteps(ms) {
      let lengths: number[] = [];
      let before: number | undefined;
      let cancel: () => void = () => undefined;
      const arm = () => {
        cancel = at(ms, () => {
          if (before !== undefined) lengths.push(monotonic - before);
          before = monotonic;
          arm();
        });
      };
      arm();
      return {
        get count() {
          return lengths.length;
        },
        get meanMs() {
          return lengths.reduce((sum, length) => sum + length, 0) / lengths.length;
        },
        longestMs: (nth) => lengths.toSorted((a, b) => b - a)[nth - 1] ?? Number.NaN,
        reset() {
          lengths = [];
          before = undefined;
        },
        stop: () => cancel(),
      };
    },

    async advance(ms, { patienceMs } = PATIENT) {
      const untilMs = monotonic + ms;
      await settle(patienceMs);
      for (let timer = next(); timer !== undefined && timer.atMs <= untilMs; timer = next()) {
        move(Math.max(0, timer.atMs - monotonic));
        fireDue();
        await settle(patienceMs);
      }
      move(untilMs - monotonic);
      await settle(patienceMs);
    },

    async stall(ms) {
      move(ms);
      fireDue();
      await settle(PATIENT.patienceMs);
    },
  };
}

const PATIENT = { patienceMs: 5_000 };
/** Turns of the event loop without news after which nothing more comes by itself. */
const QUIET_TURNS = 3;

function macrotask(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
