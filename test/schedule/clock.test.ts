import { setTimeout as delay } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it, vi } from "vitest";
import { systemClock } from "../../src/schedule/clock.ts";

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

const PATIENT = { interval: 5, timeout: 10_000 };

function block(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
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

it("tells how long steps of time really took, until it is reset", async () => {
  const steps = systemClock.watchSteps(20);
  await expect.poll(() => steps.count, PATIENT).toBeGreaterThan(2);
  block(300);
  await expect.poll(() => steps.longestMs(1), PATIENT).toBeGreaterThan(280);
  const { count } = steps;
  const lengths = [steps.longestMs(1), steps.longestMs(2), steps.longestMs(count)];
  expect(lengths).toEqual(lengths.toSorted((a, b) => b - a));
  expect(lengths.at(-1)).toBeGreaterThan(0);
  expect(steps.meanMs).toBeLessThanOrEqual(lengths[0] ?? 0);

  steps.reset();
  expect(steps.count).toBe(0);
  expect(steps.meanMs).toBeNaN();
  await expect.poll(() => steps.count, PATIENT).toBeGreaterThan(0);
  steps.stop();
});

it("ends a wait with its parent's reason", () => {
  const parent = new AbortController();
  const signal = systemClock.deadline(60_000, parent.signal);
  parent.abort("stopped");
  expect(signal.reason).toBe("stopped");
});

it.each([86_400_000, -86_400_000])(
  "keeps its own time when the wall clock is set by %d ms",
  (setBy) => {
    const before = systemClock.now();
    const wall = vi.spyOn(Date, "now").mockImplementation(() => systemClock.now() + setBy);
    const passed = systemClock.now() - before;
    const shown = systemClock.shown(before) - before;
    wall.mockRestore();
    expect(passed).toBeGreaterThanOrEqual(0);
    expect(passed).toBeLessThan(60_000);
    expect(shown).toBe(setBy);
    expect(systemClock.shown(before)).toBe(before);
  },
);
