import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { systemClock } from "../../src/schedule/clock.ts";

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

it("ends a wait when its time is up, whatever was collected meanwhile", async () => {
  setFlagsFromString("--expose-gc");
  const collect: () => void = runInNewContext("gc");
  const never = new AbortController();
  const alone = aborted(systemClock.deadline(100));
  const below = aborted(systemClock.deadline(100, never.signal));
  const nested = aborted(systemClock.deadline(60_000, systemClock.deadline(100, never.signal)));
  await delay(20);
  collect();
  await delay(20);
  collect();

  const timeUp = expect.objectContaining({ name: "TimeoutError" });
  await expect(Promise.all([alone, below, nested])).resolves.toEqual([timeUp, timeUp, timeUp]);
});

it("ends a wait with its parent's reason", () => {
  const parent = new AbortController();
  const signal = systemClock.deadline(60_000, parent.signal);
  parent.abort("stopped");
  expect(signal.reason).toBe("stopped");
});
