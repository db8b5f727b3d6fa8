import fc from "fast-check";
import { expect, it } from "vitest";
import { type Learning, learn, learnAll } from "../../src/store/baselines.ts";
import { DAY, MINUTE, NOW, SECOND } from "../support/snapshot.ts";

const learnt = { mean: 10, weight: 1_000, since: NOW };
const step = { sample: { value: 20, weight: 1 }, elapsedMs: 10 * SECOND, frozen: false, now: NOW };

it.each([
  ["it is frozen", { frozen: true }],
  ["no call ended", { sample: { value: 20, weight: 0 } }],
  ["the value is no number", { sample: { value: Number.NaN, weight: 5 } }],
])("learns nothing when %s", (_when, change) => {
  expect(learn(learnt, { ...step, ...change })).toBe(learnt);
  expect(learn(undefined, { ...step, ...change })).toBeUndefined();
});

it("begins with the first sample", () => {
  expect(learn(undefined, step)).toEqual({ mean: 20, weight: 1, since: NOW });
});

it("moves half way to a new value in half an hour", () => {
  const minutes = Array.from({ length: 30 }, () => ({ ...step, elapsedMs: MINUTE }));
  const after = minutes.reduce((baseline, next) => learn(baseline, next) ?? baseline, {
    ...learnt,
    weight: 1_000_000,
  });
  expect(after.mean).toBeCloseTo(15, 6);
});

it("is the plain weighted mean while little is learnt", () => {
  const two = { ...step, sample: { value: 20, weight: 3 } };
  expect(learn({ mean: 10, weight: 1, since: NOW }, two)?.mean).toBeCloseTo(17.5, 6);
});

it("believes one sample no more because the source was away", () => {
  const away = learn(learnt, { ...step, elapsedMs: DAY });
  expect(away).toEqual(learn(learnt, { ...step, elapsedMs: MINUTE }));
});

it("never leaves what it was shown", () => {
  const samples = fc.array(
    fc.record({ value: fc.double({ min: 0, max: 1, noNaN: true }), weight: fc.nat(500) }),
    { minLength: 1 },
  );
  fc.assert(
    fc.property(samples, (all) => {
      const after = all.reduce<ReturnType<typeof learn>>(
        (baseline, sample) => learn(baseline, { ...step, sample }),
        undefined,
      );
      expect(after?.mean ?? 0).toBeGreaterThanOrEqual(0);
      expect(after?.mean ?? 0).toBeLessThanOrEqual(1 + 1e-9);
    }),
  );
});

const lesson = (seconds: number, code?: string) => ({
  now: NOW + seconds * SECOND,
  target: "app",
  samples: { "probe-slow/ms": { value: seconds, weight: 10 } },
  frozen: new Set(code === undefined ? [] : [code]),
});
const after = (...lessons: readonly ReturnType<typeof lesson>[]) =>
  lessons.reduce<Readonly<Record<string, Learning>>>(learnAll, {})["probe-slow/ms"];

it("takes one sample in ten seconds", () => {
  expect(after(lesson(0), lesson(9))?.baseline.weight).toBe(10);
  expect(after(lesson(0), lesson(10))?.baseline.weight).toBe(20);
});

it("is frozen while its code is pending or active, and by no other", () => {
  expect(after(lesson(0), lesson(10, "probe-slow"))?.baseline.weight).toBe(10);
  expect(after(lesson(0), lesson(10, "probe-failing"))?.baseline.weight).toBe(20);
});

it("is frozen for a day at most", () => {
  const day = DAY / SECOND;
  const frozen = [10, 10 + day - 1].map((seconds) => lesson(seconds, "probe-slow"));
  expect(after(lesson(0), ...frozen)?.baseline.weight).toBe(10);
  const next = lesson(20 + day, "probe-slow");
  expect(after(lesson(0), ...frozen, next)?.baseline.weight).toBe(20);
});

it("does not learn from a first sample that is sick", () => {
  expect(after(lesson(0, "probe-slow"))).toBeUndefined();
});

it("keeps 200 baselines", () => {
  const samples = Object.fromEntries(
    Array.from({ length: 300 }, (_, i) => [`code-${i}/ms`, { value: 1, weight: 1 }]),
  );
  expect(Object.keys(learnAll({}, { ...lesson(0), samples }))).toHaveLength(200);
});
