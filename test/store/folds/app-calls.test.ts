import { describe, expect, it } from "vitest";
import type { MethodCounts } from "../../../src/model/method-counts.ts";
import { folded } from "../../support/folded.ts";
import { after, aRunAt, aScrapeAt } from "../../support/observations.ts";
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
        inFlight: 10,
        handledByCode: { OK: 0, CANCELLED: 0 },
        cancelledDurations: buckets(0, 0, 0),
      },
      {
        at: after(15),
        started: 50,
        inFlight: 18,
        handledByCode: { OK: 30, CANCELLED: 10, INTERNAL: 2 },
        cancelledDurations: buckets(0, 10, 12),
      },
    ],
  });
});

it.each<[string, readonly Parameters<typeof aRunAt>[1][], object]>([
  ["as it ended", [{ status: "OK" }, { status: "NOT_FOUND" }], { OK: 29, CANCELLED: 10 }],
  ["that failed an assertion", [{ status: "OK", phase: "assert" }], { OK: 29, CANCELLED: 10 }],
  [
    "past its deadline, as cancelled too",
    [{ status: "DEADLINE_EXCEEDED" }, { status: "DEADLINE_EXCEEDED", phase: "rpc" }],
    { OK: 30, CANCELLED: 9, DEADLINE_EXCEEDED: 0 },
  ],
  ["but none that never came there", [{ status: "UNAVAILABLE", phase: "tcp" }, {}], {}],
])("leaves out each call of our own probes, %s", (_how, runs, want) => {
  const first = aScrapeAt(0, { started: 1000, handledByCode: { OK: 900, CANCELLED: 90 } });
  const second = aScrapeAt(15, {
    started: 1050,
    handledByCode: { OK: 930, CANCELLED: 100, DEADLINE_EXCEEDED: 1 },
  });
  const probed = runs.map((run) => aRunAt(5, run));
  const last = folded("appCalls", [first, ...probed, second])?.scrapes.at(-1);
  expect(last?.handledByCode).toMatchObject(want);
  const counted = runs.filter((run) => run?.status !== undefined && run.phase !== "tcp").length;
  expect(last?.started).toBe(50 - counted);
});

it("learns nothing from a probe before the app was scraped", () => {
  expect(folded("appCalls", [aRunAt(0, { status: "OK" })])).toBeUndefined();
});

describe("where the histogram knows methods and no codes", () => {
  /** One method: calls by their end, and by their age up to 10 ms, 100 ms, and older. */
  const method = (ok: number, cancelled: number, ages: readonly [number, number, number]) => ({
    method: "order.OrderService/GetOrder",
    handledByCode: { OK: ok, CANCELLED: cancelled, DEADLINE_EXCEEDED: cancelled },
    durations: {
      upperMs: [10, 100],
      counts: [ages[0], ages[0] + ages[1], ages[0] + ages[1] + ages[2]],
    },
  });
  type Counts = ReturnType<typeof method>;
  const proven = (...scrapes: readonly (readonly Counts[])[]) =>
    folded(
      "appCalls",
      scrapes.map((methods, i) => aScrapeAt(15 * i, { methods })),
    )?.scrapes.at(-1)?.provenDurations?.counts;
  const other = { ...method(100, 0, [100, 0, 0]), method: "order.OrderService/AddOrder" };

  it.each<[string, readonly (readonly Counts[])[], readonly number[]]>([
    ["a single scrape proves nothing", [[method(5, 5, [5, 10, 0])]], [0, 0, 0]],
    [
      "what no other bucket can hold",
      [[method(0, 0, [0, 0, 0])], [method(2, 5, [2, 10, 0])]],
      [0, 8, 8],
    ],
    [
      "nothing of what may have ended well",
      [[method(0, 0, [0, 0, 0])], [method(10, 5, [10, 10, 0])]],
      [0, 0, 0],
    ],
    [
      "no more than were cancelled",
      [[method(0, 0, [0, 0, 0])], [method(0, 5, [0, 20, 0])]],
      [0, 10, 10],
    ],
    [
      "each gap adds",
      [[method(0, 0, [0, 0, 0])], [method(0, 5, [0, 10, 0])], [method(9, 10, [9, 10, 10])]],
      [0, 10, 11],
    ],
    [
      "methods stand apart",
      [
        [method(0, 0, [0, 0, 0]), { ...method(0, 0, [0, 0, 0]), method: other.method }],
        [method(0, 5, [0, 10, 0]), other],
      ],
      [0, 10, 10],
    ],
    ["a new method counts in full", [[], [method(0, 5, [0, 10, 0])]], [0, 10, 10]],
  ])("proves of the cancelled calls: %s", (_what, scrapes, counts) => {
    expect(proven(...scrapes)).toEqual(counts);
  });

  it("proves nothing of a method that may have a past which was not told", () => {
    const many = Array.from({ length: 200 }, (_, i) => ({
      ...method(0, 0, [0, 0, 0]),
      method: `M${i}`,
    }));
    expect(proven(many, [method(0, 5, [0, 10, 0])])).toEqual([0, 0, 0]);
    expect(proven(many.slice(1), [method(0, 5, [0, 10, 0])])).toEqual([0, 10, 10]);
  });

  it("has none without a histogram", () => {
    const { durations: _none, ...bare } = method(0, 5, [0, 0, 0]);
    expect(folded("appCalls", [aScrapeAt(0, { methods: [bare] })])?.scrapes).toEqual([
      { at: NOW, handledByCode: {} },
    ]);
  });
});

describe("where messages of the server are counted", () => {
  const watch = (ok: number, cancelled: number, sent?: number) => ({
    method: "order.Feed/Watch",
    handledByCode: { OK: ok, CANCELLED: cancelled, UNAVAILABLE: cancelled },
    ...(sent === undefined ? {} : { sent }),
  });
  type Counts = ReturnType<typeof watch>;
  const answered = (...scrapes: readonly (readonly Counts[])[]) =>
    folded(
      "appCalls",
      scrapes.map((methods, i) => aScrapeAt(15 * i, { methods })),
    )?.scrapes.at(-1)?.answered;
  const get = { ...watch(90, 9, 90), method: "order.OrderService/GetOrder" };

  it.each<[string, readonly (readonly Counts[])[], object | undefined]>([
    ["of none in a single scrape", [[watch(0, 5, 9)]], {}],
    [
      "on the streams that ended",
      [[watch(0, 5, 9)], [watch(0, 8, 19)]],
      { OK: 0, CANCELLED: 3, UNAVAILABLE: 3 },
    ],
    [
      "on no more than there were messages",
      [[watch(0, 5, 9)], [watch(0, 8, 11)]],
      { OK: 0, CANCELLED: 2, UNAVAILABLE: 2 },
    ],
    ["nothing beside one that ended well", [[watch(0, 5, 9)], [watch(1, 8, 99)]], {}],
    [
      "added up over scrapes and methods",
      [
        [watch(0, 0, 0), get],
        [watch(0, 3, 9), get],
        [watch(0, 5, 19), { ...get, sent: 99 }],
      ],
      { OK: 0, CANCELLED: 5, UNAVAILABLE: 5 },
    ],
    [
      "of a method of which none had ended before",
      [[get], [get, watch(0, 3, 9)]],
      { OK: 0, CANCELLED: 3, UNAVAILABLE: 3 },
    ],
    ["and not by a family without them", [[watch(0, 0)], [watch(0, 3)]], undefined],
  ])("knows what was answered before it ended: %s", (_what, scrapes, want) => {
    expect(answered(...scrapes)).toEqual(want);
  });

  it("believes a family that tells by code, since the first scrape", () => {
    const scrape = (seconds: number, count: number) =>
      aScrapeAt(seconds, {
        methods: [watch(0, count, 99)],
        answered: { CANCELLED: count },
        unregistered: 7 * count,
      });
    const [, last] = folded("appCalls", [scrape(0, 2), scrape(15, 5)])?.scrapes ?? [];
    expect(last).toMatchObject({ answered: { CANCELLED: 3 }, unregistered: 21 });
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

/** Scrapes of two workers that answer at one port in turn, or of the second one alone. */
const workers = (...counts: readonly (readonly [ok: number, internal: number])[]) =>
  folded(
    "appCalls",
    counts.map(([OK, INTERNAL], i) => aScrapeAt(15 * i, { handledByCode: { OK, INTERNAL } })),
  )?.scrapes.at(-1)?.handledByCode;

it.each<[string, readonly (readonly [number, number])[], object]>([
  [
    "each in its turn",
    [
      [900, 600],
      [50, 0],
      [910, 600],
      [55, 0],
      [920, 600],
    ],
    { OK: 0, INTERNAL: 0 },
  ],
  [
    "one twice",
    [
      [900, 600],
      [50, 0],
      [55, 0],
      [910, 600],
    ],
    { OK: 0, INTERNAL: 0 },
  ],
  [
    "the same one since",
    [
      [900, 600],
      [50, 0],
      [910, 600],
      [925, 602],
    ],
    { OK: 15, INTERNAL: 2 },
  ],
  [
    "one that was restarted",
    [
      [900, 600],
      [5, 0],
      [20, 1],
      [30, 4],
    ],
    { OK: 25, INTERNAL: 4 },
  ],
])("counts no worker's past as calls of now: %s", (_what, counts, want) => {
  expect(workers(...counts)).toEqual(want);
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

it("tells what is in flight where the app knows it and no starts", () => {
  const first = aScrapeAt(0, { inFlight: 3, handledByCode: { OK: 900 } });
  const second = aScrapeAt(15, { inFlight: 7, handledByCode: { OK: 930 } });
  expect(folded("appCalls", [first, second])?.scrapes).toEqual([
    { at: NOW, inFlight: 3, handledByCode: { OK: 0 } },
    { at: after(15), inFlight: 7, handledByCode: { OK: 30 } },
  ]);
});

describe("methods at fault", () => {
  const of = (method: string, handledByCode: MethodCounts["handledByCode"]) => ({
    method,
    handledByCode,
  });
  const told = (before: readonly MethodCounts[], after: readonly MethodCounts[]) =>
    folded("appCalls", [
      aScrapeAt(0, { methods: before }),
      aScrapeAt(15, { methods: after }),
    ])?.scrapes.map(({ faults }) => faults);

  it("are none before the first scrape, by callers' mistakes, or that nobody registered", () => {
    const before = [of("a.B/C", { INTERNAL: 9, NOT_FOUND: 1 }), of("other", { UNIMPLEMENTED: 1 })];
    const after = [of("a.B/C", { INTERNAL: 9, NOT_FOUND: 8 }), of("other", { UNIMPLEMENTED: 8 })];
    expect(told(before, after)).toEqual([undefined, undefined]);
  });

  it("are the five with most errors since the scrape before", () => {
    const before = [of("a.B/C", { INTERNAL: 9 })];
    const fresh = [1, 2, 3, 4, 5].map((count) => of(`a.B/M${count}`, { UNKNOWN: count }));
    expect(told(before, [of("a.B/C", { INTERNAL: 29 }), ...fresh])).toEqual([
      undefined,
      [
        { method: "a.B/C", code: "INTERNAL", count: 20 },
        { method: "a.B/M5", code: "UNKNOWN", count: 5 },
        { method: "a.B/M4", code: "UNKNOWN", count: 4 },
        { method: "a.B/M3", code: "UNKNOWN", count: 3 },
        { method: "a.B/M2", code: "UNKNOWN", count: 2 },
      ],
    ]);
  });

  it("are not told of what is new among the greatest number that is told", () => {
    const many = Array.from({ length: 200 }, (_, i) => of(`a.B/M${i}`, { OK: 1 }));
    expect(told(many, [of("a.B/New", { INTERNAL: 5 }), ...many.slice(1)])).toEqual([
      undefined,
      undefined,
    ]);
  });
});
