import { describe, expect, it } from "vitest";
import { createTimetable } from "../../src/schedule/timetable.ts";
import { createManualClock } from "../support/clock.ts";

/** A thousand pods, each at its own place. */
const SHARES = Array.from({ length: 1_000 }, (_, pod) => pod / 1_000);
const SPREAD_MS = 5_000;
const INTERVAL_MS = 30_000;

/** When each pod's next run is due, after `runs` of them; the clock stands at zero. */
function dues(runs: number, options: { readonly lastRunMs?: number } = {}) {
  const clock = createManualClock();
  const zero = clock.monotonicMs();
  const since = options.lastRunMs === undefined ? {} : { lastRunMs: zero + options.lastRunMs };
  return SHARES.map((share) => {
    const table = createTimetable(
      { kind: "every", ms: INTERVAL_MS },
      { clock, share, spreadMs: SPREAD_MS, ...since },
    );
    for (let run = 0; run < runs; run++) table.take(table.next().atMs);
    return table.next().atMs - zero;
  });
}

/** How many pods are due in each tenth of the interval. */
function tenths(dueMs: readonly number[]): readonly number[] {
  return Array.from(
    { length: 10 },
    (_, tenth) => dueMs.filter((ms) => Math.floor((10 * ms) / INTERVAL_MS) % 10 === tenth).length,
  );
}

const EVEN = Array.from({ length: 10 }, () => 100);

describe("a fleet that was started at one moment", () => {
  it("looks for the first time within the spread", () => {
    expect(Math.max(...dues(0))).toBeLessThan(SPREAD_MS);
  });

  it("is spread over the whole interval from the second run on", () => {
    expect(tenths(dues(1))).toEqual(EVEN);
    expect(tenths(dues(7))).toEqual(EVEN);
  });

  it("waits for the second run an interval and a half at most, and a half at least", () => {
    const [firsts, seconds] = [dues(0), dues(1)];
    const gaps = seconds.map((ms, pod) => ms - (firsts[pod] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(INTERVAL_MS / 2);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(1.5 * INTERVAL_MS);
  });
});

describe("a fleet that looked at one moment, as its server was lost", () => {
  it("is spread over the whole interval with its next run", () => {
    expect(tenths(dues(0, { lastRunMs: 0 }))).toEqual(EVEN);
  });

  it("comes at once where that run is long ago", () => {
    expect(new Set(dues(0, { lastRunMs: -10 * INTERVAL_MS }))).toEqual(new Set([0]));
  });
});

it("keeps its distance to the last run where that bounds a cost", () => {
  const clock = createManualClock();
  const zero = clock.monotonicMs();
  const cadence = { kind: "every", ms: INTERVAL_MS, keepsDistance: true } as const;
  const options = { clock, spreadMs: SPREAD_MS, lastRunMs: zero - 1_000 };
  const tables = SHARES.map((share) => createTimetable(cadence, { ...options, share }));

  expect(new Set(tables.map((table) => table.next().atMs - zero))).toEqual(
    new Set([INTERVAL_MS - 1_000]),
  );
});
