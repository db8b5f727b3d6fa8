import { existsSync } from "node:fs";
import { expect, it } from "vitest";
import type { Detector } from "../../src/detectors/detector.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import { LAYERS } from "../../src/model/detector-record.ts";

const rank = ({ layer }: Detector) => LAYERS.indexOf(layer);
const byCode = DETECTORS.map((detector) => [detector.code, detector] as const);

it("is sorted by layer, then by code, each code once", () => {
  const sorted = DETECTORS.toSorted((a, b) => rank(a) - rank(b) || (a.code < b.code ? -1 : 1));
  expect(DETECTORS.map(({ code }) => code)).toEqual(sorted.map(({ code }) => code));
  expect(new Set(DETECTORS.map(({ code }) => code)).size).toBe(DETECTORS.length);
});

it.each(byCode)(
  "%s has only causes of its own layer or below, which are judged too",
  (_code, detector) => {
    const causes = [...detector.causes, ...detector.dependencyCauses];
    expect(causes.filter((cause) => rank(cause) > rank(detector))).toEqual([]);
    expect(causes.filter((cause) => !DETECTORS.includes(cause))).toEqual([]);
  },
);

it.each(byCode)("%s has a default of every limit within its bounds", (_code, { limits }) => {
  const outside = Object.values(limits).filter(
    (limit) => limit.default < limit.min || limit.default > limit.max,
  );
  expect(outside).toEqual([]);
});

it.each(byCode)("%s has a test", (code) => {
  expect(existsSync(new URL(`${code}.test.ts`, import.meta.url))).toBe(true);
});
