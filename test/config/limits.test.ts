import { expect, it } from "vitest";
import { DETECTORS } from "../../src/detectors/index.ts";
import { faultsOf } from "./load-file.ts";

const TARGET = "{ name: app, address: localhost:50051";
const everywhere = (findings: string) => `targets: [${TARGET} }]\nfindings: { ${findings} }\n`;
const ofTarget = (findings: string, shared = "") =>
  `targets: [${TARGET}, findings: { ${findings} } }]\nfindings: { ${shared} }\n`;
const faults = (text: string) => faultsOf(text, { detectors: DETECTORS });

it.each([
  ["both are the same", everywhere("probe-slow: { missed: 7, outOf: 7 }")],
  ["one is raised within the other", everywhere("probe-slow: { missed: 5 }")],
  ["warnings come before", everywhere("tls-cert-expiring: { warnBefore: 9d, criticalBefore: 1d }")],
  ["a code is off", everywhere("probe-slow: off")],
  [
    "the target raises what it needs",
    ofTarget("probe-slow: { missed: 9 }", "probe-slow: { outOf: 10 }"),
  ],
])("accepts limits when %s", (_when, text) => {
  expect(faults(text)).toBe("");
});

it.each([
  [
    "more slow runs than there are",
    everywhere("probe-slow: { missed: 6, outOf: 5 }"),
    "2:35: findings.probe-slow.missed: found 6, allowed: at most outOf, which is 5",
  ],
  [
    "more than the default",
    everywhere("probe-slow: { missed: 6 }"),
    "2:35: findings.probe-slow.missed: found 6, allowed: at most outOf, which is 5",
  ],
  [
    "fewer runs than the default needs",
    everywhere("probe-slow: { outOf: 2 }"),
    "2:34: findings.probe-slow.outOf: found 2, allowed: at least missed, which is 3",
  ],
  [
    "warnings after what is critical",
    everywhere("tls-cert-expiring: { warnBefore: 1d, criticalBefore: 10d }"),
    "2:66: findings.tls-cert-expiring.criticalBefore: found 10d, allowed: at most warnBefore, which is 1d",
  ],
  [
    "a share that is full before it is high",
    everywhere("fd-exhaustion: { full: 0.5 }"),
    "2:36: findings.fd-exhaustion.full: found 0.5, allowed: at least high, which is 0.9",
  ],
  [
    "a target's own limit beside the shared one",
    ofTarget("probe-slow: { missed: 9 }", "probe-slow: { outOf: 8 }"),
    "1:84: targets[0].findings.probe-slow.missed: found 9, allowed: at most outOf, which is 8",
  ],
])("refuses limits that keep a code silent: %s", (_what, text, fault) => {
  expect(faults(text)).toBe(`grpc-doctor.yaml:${fault}`);
});

it("is bounded by a limit of the same code, and by default within it", () => {
  const bounds = DETECTORS.flatMap(({ code, limits }) =>
    Object.entries(limits).flatMap(([name, limit]) => {
      const upper = limits[limit.atMost ?? ""];
      return limit.atMost === undefined
        ? []
        : [`${code}.${name}: ${upper?.unit === limit.unit && limit.default <= upper.default}`];
    }),
  );
  expect(bounds).toEqual([
    "fd-exhaustion.high: true",
    "tls-cert-expiring.criticalBefore: true",
    "tls-cert-expiring.criticalRatio: true",
    "probe-slow.missed: true",
  ]);
});
