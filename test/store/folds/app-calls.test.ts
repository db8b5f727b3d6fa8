import { expect, it } from "vitest";
import { folded } from "../../support/folded.ts";
import { after, aScrapeAt } from "../../support/observations.ts";
import { NOW } from "../../support/snapshot.ts";

const buckets = (...counts: readonly number[]) => ({
  upperMs: [10, 100, Number.MAX_VALUE],
  counts,
});

it("begins at zero, and counts what others did since", () => {
  const first = aScrapeAt(0, {
    started: 1000,
    handledByCode: { OK: 900, CANCELLED: 90 },
    durations: { CANCELLED: buckets(0, 80, 90), DEADLINE_EXCEEDED: buckets(0, 1, 1) },
  });
  const second = aScrapeAt(15, {
    started: 1050,
    handledByCode: { OK: 930, CANCELLED: 100, INTERNAL: 2 },
    durations: { CANCELLED: buckets(0, 90, 100), DEADLINE_EXCEEDED: buckets(0, 1, 3) },
  });
  expect(folded("appCalls", [first, second])).toEqual({
    families: ["go-grpc-middleware"],
    scrapes: [
      {
        at: NOW,
        started: 0,
        handledByCode: { OK: 0, CANCELLED: 0 },
        cancelledDurations: buckets(0, 0, 0),
      },
      {
        at: after(15),
        started: 50,
        handledByCode: { OK: 30, CANCELLED: 10, INTERNAL: 2 },
        cancelledDurations: buckets(0, 10, 12),
      },
    ],
  });
});

it("is not known where the app exposes no family that we read", () => {
  expect(folded("appCalls", [aScrapeAt(0, { families: [] })])).toBeUndefined();
});

it.each<[string, number, Parameters<typeof aScrapeAt>[1]]>([
  ["goes on", 2, { handledByCode: { OK: 11 }, processStartedAt: NOW }],
  ["counts less", 1, { handledByCode: { OK: 9 }, processStartedAt: NOW }],
  ["lost a code", 1, { handledByCode: {}, processStartedAt: NOW }],
  ["is another process", 1, { handledByCode: { OK: 11 }, processStartedAt: NOW + 1 }],
  ["has another family", 1, { families: ["x"], handledByCode: { OK: 11 }, processStartedAt: NOW }],
])("compares only within one life: when the app %s, %d scrapes", (_when, count, change) => {
  const first = aScrapeAt(0, { handledByCode: { OK: 10 }, processStartedAt: NOW });
  expect(folded("appCalls", [first, aScrapeAt(15, change)])?.scrapes).toHaveLength(count);
});

it("lets the fuller of two histograms speak where their bounds differ", () => {
  const durations = {
    CANCELLED: buckets(0, 1, 1),
    DEADLINE_EXCEEDED: { upperMs: [5], counts: [7] },
  };
  const [scrape] = folded("appCalls", [aScrapeAt(0, { durations })])?.scrapes ?? [];
  expect(scrape?.cancelledDurations?.upperMs).toEqual([5]);
});

it("keeps 50 scrapes of 10 min", () => {
  const often = Array.from({ length: 60 }, (_, i) => aScrapeAt(i));
  expect(folded("appCalls", often)?.scrapes).toHaveLength(50);
  expect(folded("appCalls", [aScrapeAt(0), aScrapeAt(601)])?.scrapes).toHaveLength(1);
});
