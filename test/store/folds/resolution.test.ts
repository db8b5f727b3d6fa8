import { expect, it } from "vitest";
import type { Observation } from "../../../src/model/observation.ts";
import { folded } from "../../support/folded.ts";
import { after, aLookupAt, aSelfEventAt, aStore, targetIn } from "../../support/observations.ts";
import { NOW } from "../../support/snapshot.ts";

const A = "10.0.0.1";
const B = "10.0.0.2";
const failed = (seconds: number, cause: "nxdomain" | "timeout" = "nxdomain") =>
  aLookupAt(seconds, [], { outcome: "failed", cause });
const seenOf = (address: string, observations: readonly Observation[]) =>
  folded("resolution", observations)?.seen[address];

it("tells an answer whole", () => {
  expect(
    folded("resolution", [aLookupAt(30, [A, B], { ttlMs: 30_000, unanswered: "AAAA" })]),
  ).toEqual({
    name: "inventory.shop.svc",
    lookups: [{ at: after(30), outcome: "answered", durationMs: 3, unanswered: "AAAA" }],
    triedNames: ["inventory.shop.svc"],
    answers: [A, B],
    answeredAt: after(30),
    answeredInRow: 1,
    seen: {
      [A]: { at: after(30), since: after(30), missed: 0, longestGapMs: 0 },
      [B]: { at: after(30), since: after(30), missed: 0, longestGapMs: 0 },
    },
    highestTtlMs: 30_000,
  });
});

it("marks what was answered while our own timing could not be trusted", () => {
  const store = aStore(aLookupAt(29, [A]), aLookupAt(30, [A]));
  store.hear(aSelfEventAt(45, { lagP99Ms: 101 }));
  store.append(aLookupAt(59, [A]));
  store.append(aLookupAt(60, [A]));
  const lookup = { outcome: "answered", durationMs: 3 };
  expect(targetIn(store.snapshot(after(60)), "inventory").facts.resolution).toEqual({
    state: "known",
    at: after(60),
    value: expect.objectContaining({
      lookups: [
        { ...lookup, at: after(29), isSuspect: true },
        { ...lookup, at: after(30) },
        { ...lookup, at: after(59), isSuspect: true },
        { ...lookup, at: after(60) },
      ],
    }),
  });
});

it("takes no answer that was missed while we were late ourselves for a failure, nor for the end of one", () => {
  const store = aStore(failed(0), failed(5));
  store.hear(aSelfEventAt(6, { lagP99Ms: 101 }));
  store.append(failed(10, "timeout"));
  store.append(failed(15));
  const lookup = { outcome: "failed", durationMs: 3 };
  expect(targetIn(store.snapshot(after(15)), "inventory").facts.resolution).toMatchObject({
    value: {
      lookups: [
        { ...lookup, at: after(0), cause: "nxdomain" },
        { ...lookup, at: after(5), cause: "nxdomain" },
        { ...lookup, at: after(10), cause: "timeout", isSuspect: true },
        { ...lookup, at: after(15), cause: "nxdomain" },
      ],
      failing: { since: after(0), lastAt: after(15), count: 3, cause: "nxdomain" },
    },
  });
});

it.each<[string, readonly Observation[], object]>([
  [
    "it stays",
    [aLookupAt(0, [A]), aLookupAt(30, [A])],
    { at: after(30), since: NOW, missed: 0, longestGapMs: 0 },
  ],
  [
    "it leaves",
    [aLookupAt(0, [A]), aLookupAt(30, [B]), aLookupAt(60, [B])],
    { at: NOW, since: NOW, missed: 2, longestGapMs: 0 },
  ],
  [
    "no answer comes",
    [aLookupAt(0, [A]), failed(30), failed(60)],
    { at: NOW, since: NOW, missed: 0, longestGapMs: 0 },
  ],
  [
    "answers are empty",
    [aLookupAt(0, [A]), aLookupAt(30, [])],
    { at: NOW, since: NOW, missed: 0, longestGapMs: 0 },
  ],
  [
    "it comes back",
    [aLookupAt(0, [A]), aLookupAt(30, [B]), aLookupAt(60, [A])],
    { at: after(60), since: after(60), missed: 0, longestGapMs: 60_000 },
  ],
  [
    "it rotates",
    [
      aLookupAt(0, [A]),
      aLookupAt(30, [B]),
      aLookupAt(120, [A]),
      aLookupAt(150, [B]),
      aLookupAt(180, [A]),
    ],
    { at: after(180), since: after(180), missed: 0, longestGapMs: 120_000 },
  ],
])("remembers an address when %s", (_when, observations, want) => {
  expect(seenOf(A, observations)).toEqual(want);
});

it.each([
  [1_700, 60_000],
  [2_400, 0],
])("knows %d s later of an absence of %d ms", (seconds, longestGapMs) => {
  const rotated = [aLookupAt(0, [A]), aLookupAt(30, [B]), aLookupAt(60, [A])];
  expect(seenOf(A, [...rotated, aLookupAt(seconds, [A])])?.longestGapMs).toBe(longestGapMs);
});

it.each<[string, readonly Observation[], object]>([
  ["heals", [failed(0), aLookupAt(5, [A])], { failing: undefined, answeredInRow: 1 }],
  [
    "fails",
    [aLookupAt(0, [A]), failed(5), failed(10, "timeout")],
    {
      failing: { since: after(5), lastAt: after(10), count: 2, cause: "timeout" },
      answeredInRow: 0,
      answers: [A],
      answeredAt: NOW,
    },
  ],
  [
    "answers without an address",
    [aLookupAt(0, [A]), aLookupAt(5, [])],
    {
      failing: { since: after(5), lastAt: after(5), count: 1, cause: "no-data" },
      answers: [A],
    },
  ],
  ["never answered", [failed(0)], { answers: [], answeredAt: undefined, answeredInRow: 0 }],
  [
    "counts its TTL down",
    [aLookupAt(0, [A], { ttlMs: 30_000 }), aLookupAt(30, [A], { ttlMs: 4_000 })],
    { highestTtlMs: 30_000 },
  ],
])("tells when the resolver %s", (_when, observations, want) => {
  const { failing, answers, answeredAt, answeredInRow, highestTtlMs } =
    folded("resolution", observations) ?? {};
  expect({ failing, answers, answeredAt, answeredInRow, highestTtlMs }).toMatchObject(want);
});

it("keeps the 200 newest addresses and 30 lookups", () => {
  const many = Array.from({ length: 40 }, (_, i) =>
    aLookupAt(
      i,
      Array.from({ length: 10 }, (_, j) => `10.1.${i}.${j}`),
    ),
  );
  const fact = folded("resolution", many);
  expect(Object.keys(fact?.seen ?? {})).toHaveLength(200);
  expect(fact?.seen).toHaveProperty(["10.1.39.0"]);
  expect(fact?.lookups).toHaveLength(30);
});

it("begins anew with another name", () => {
  const other = aLookupAt(30, [B], { name: "other.shop.svc" });
  expect(Object.keys(folded("resolution", [aLookupAt(0, [A]), other])?.seen ?? {})).toEqual([B]);
});
