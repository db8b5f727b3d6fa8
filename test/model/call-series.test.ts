import { expect, it } from "vitest";
import { appCallSeries } from "../../src/model/call-series.ts";

it("lets no start be undone where a call was read as running, and then as ended", () => {
  const scrapes = [
    { at: 0, inFlight: 3, handledByCode: { OK: 10 } },
    { at: 15_000, inFlight: 2, handledByCode: { OK: 10 } },
    { at: 30_000, inFlight: 4, handledByCode: { OK: 12 } },
  ];
  expect(appCallSeries({ families: ["micrometer-observation"], scrapes })).toEqual([
    { at: 0, started: 13, finished: 10, cancelled: 0, inFlight: 3 },
    { at: 15_000, started: 13, finished: 10, cancelled: 0, inFlight: 2 },
    { at: 30_000, started: 16, finished: 12, cancelled: 0, inFlight: 4 },
  ]);
});

it("takes for started what ended where neither starts nor running calls are counted", () => {
  const scrapes = [
    { at: 0, handledByCode: { OK: 10 } },
    { at: 15_000, handledByCode: { OK: 12, CANCELLED: 1 } },
  ];
  expect(appCallSeries({ families: ["otel-rpc"], scrapes })).toEqual([
    { at: 0, started: 10, finished: 10, cancelled: 0 },
    { at: 15_000, started: 13, finished: 13, cancelled: 1 },
  ]);
});
