import type { Clock } from "../model/time.ts";
import { CallError } from "./call-error.ts";

/** Work of ours that holds the event loop for longer is felt: `/-/healthy` waits for it. */
const LONGEST_STRETCH_MS = 10;
const PAUSE_MS = 1;

/**
 * Lets the event loop turn in the midst of long work: each call is a place where it may, and it does once
 * the work has gone on for ten milliseconds. Throws a
 * `CallError` when the signal is aborted.
 */
export function createTurns(clock: Clock, signal?: AbortSignal): () => Promise<void> {
  let sinceMs = clock.monotonicMs();
  return async () => {
    if (clock.monotonicMs() - sinceMs < LONGEST_STRETCH_MS) return;
    try {
      await clock.sleep(PAUSE_MS, signal);
    } catch (thrown) {
      throw CallError.from(thrown, "rpc");
    }
    sinceMs = clock.monotonicMs();
  };
}
