import type { Clock } from "../model/time.ts";

/** A sleep that something else can end. */
export interface WakeUp {
  /** Resolves at `untilMs` of the monotonic clock with true, or with false when it was called. */
  sleepUntil(untilMs: number): Promise<boolean>;
  /** Ends the sleep of now, or the next one at once: a call is never lost. */
  call(): void;
}

export function createWakeUp(clock: Clock): WakeUp {
  let alarm = new AbortController();
  return {
    call: () => alarm.abort(),
    async sleepUntil(untilMs) {
      const { signal } = alarm;
      try {
        await clock.sleep(Math.max(0, untilMs - clock.monotonicMs()), signal);
        signal.throwIfAborted();
        return true;
      } catch {
        // The only thing that a sleep rejects with is its signal's reason.
        alarm = new AbortController();
        return false;
      }
    },
  };
}
