import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DETECTORS } from "../../src/detectors/index.ts";
import {
  DEFAULT_POD,
  DEFAULT_POD_BUDGET,
  defaultPodSeries,
  metricsDocument,
} from "../../src/sinks/prometheus/document.ts";
import { FAMILIES } from "../../src/sinks/prometheus/families/index.ts";

const committed = readFileSync(new URL("../../docs/metrics.md", import.meta.url), "utf8");
const documented = [
  ...committed.matchAll(/^\| `((?:grpc_doctor|process|target)_[a-z0-9_]+)` \|/gm),
].map((match) => match[1]);

/** Clash with labels that scrapers and discovery put on a target. */
const RESERVED = ["service", "type", "env", "region", "cluster", "zone", "owner", "stage", "pod"];

it("is documented in whole, and nothing else is", () => {
  expect(documented).toEqual(FAMILIES.map((family) => family.name));
});

/** What they say is the configuration's, or the build's. */
const SELF_EXPLAINING = ["target", "probe", "port", "grpc_service", "node", "version", "alpn"];
const OF_TARGET_INFO = ["service_name", "service_version"];

it("explains what each label can say", () => {
  const labels = new Set(FAMILIES.flatMap((family) => family.labels));
  const own = [...labels].filter(
    (label) => ![...SELF_EXPLAINING, ...OF_TARGET_INFO].includes(label),
  );
  const explained = [...committed.matchAll(/^### (\w+)$/gm)].map((match) => match[1] ?? "");
  expect(explained.toSorted()).toEqual(own.toSorted());
});

it("has a document that is generated from the list", () => {
  expect(committed).toBe(metricsDocument());
});

it("costs a default pod no more series than promised", () => {
  expect(defaultPodSeries()).toBeLessThanOrEqual(DEFAULT_POD_BUDGET);
});

it("counts the codes that a default pod has", () => {
  const byDefault = DETECTORS.filter(({ onByDefault }) => onByDefault !== false);
  const ofAgent = byDefault.filter(({ layer }) => layer === "agent");
  expect({
    appCodes: byDefault.length - ofAgent.length,
    agentCodes: ofAgent.length,
  }).toEqual(DEFAULT_POD);
});

it("has no name twice", () => {
  expect(new Set(FAMILIES.map(({ name }) => name)).size).toBe(FAMILIES.length);
});

it.each(FAMILIES.map((family) => [family.name, family] as const))(
  "names %s by the rules",
  (name, { type, unit, labels, help, buckets }) => {
    expect(name).toMatch(/^(grpc_doctor_|process_)[a-z0-9_]+$|^target_info$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
    expect(name.endsWith("_info")).toBe(type === "info");
    const base = name.replace(/_total$/, "");
    expect(base.match(/_(seconds|bytes)$/)?.[1]).toBe(unit);
    expect(name).not.toMatch(/millis|_ms|_kb|percent/);
    expect(help).toMatch(/\.$/);
    expect(labels.filter((label) => RESERVED.includes(label))).toEqual([]);
    expect(buckets !== undefined).toBe(type === "histogram");
  },
);
