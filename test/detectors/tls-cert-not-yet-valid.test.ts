import { expect, it } from "vitest";
import { tlsCertNotYetValid } from "../../src/detectors/tls-cert-not-yet-valid.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { TlsFacts } from "../../src/model/xray.ts";
import {
  aCertificate,
  anExpectation,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  type Change,
  factsDeclared,
  factsRead,
  HOUR,
  judge,
  MINUTE,
  NOW,
  someSurroundings,
  someTls,
  UNCONFIRMED,
} from "../support/snapshot.ts";

const skew = tlsCertNotYetValid.limits.skew.default;
const early = aCertificate({ notBefore: NOW + 5 * MINUTE });
const earlyCa = aCertificate({ subject: "CN=Example Issuing CA", notBefore: NOW + 2 * HOUR });

const tlsWith = (tls: Change<TlsFacts>): Facts["xray"] =>
  anXray({ latest: anXrayReport({ spoke: "tls", tls: someTls({ chain: [early], ...tls }) }) });
/** Each test changes one thing of it. */
const sick: Partial<Facts> = { xray: tlsWith({}), expectation: anExpectation() };
const judged = (change: Partial<Facts>) => judge(tlsCertNotYetValid, { ...sick, ...change });
const clockOff = (clockDifferenceMs: number) => ({
  surroundings: someSurroundings({ clockDifferenceMs }),
});

const leaf = {
  subject: { certificate: "leaf" },
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "The leaf certificate CN=orders becomes valid in 5 min",
  evidence: {
    fingerprint: "a1".repeat(32),
    certSubject: "CN=orders",
    issuer: "CN=Example Issuing CA",
    notBeforeAt: "2026-01-15T12:05:00.000Z",
    notAfterAt: "2026-03-16T12:00:00.000Z",
    position: "leaf",
    sentCertificates: 1,
    validInSeconds: 300,
  },
};
const besideLeaf = {
  ...leaf,
  subject: { certificate: "intermediate" },
  summary: "The intermediate certificate CN=Example Issuing CA becomes valid in 2 h",
  evidence: {
    ...leaf.evidence,
    certSubject: "CN=Example Issuing CA",
    notBeforeAt: "2026-01-15T14:00:00.000Z",
    position: "intermediate",
    validInSeconds: 7200,
  },
};

it.each<[string, Change<TlsFacts>]>([
  ["the leaf is valid", { chain: [aCertificate()] }],
  ["it becomes valid right now", { chain: [{ ...early, notBefore: NOW }] }],
  ["a path does without it", { chain: [aCertificate(), earlyCa], path: "ok" }],
  ["it is a root", { chain: [aCertificate(), { ...earlyCa, isSelfSigned: true }] }],
])("is silent when %s", (_when, tls) => {
  expect(judged({ xray: tlsWith(tls) })).toEqual([]);
});

it.each<[string, Partial<Facts>]>([
  ["no certificate was received", { xray: tlsWith({ chain: [] }) }],
  ["it was seen only once", { xray: { ...tlsWith({}), same: UNCONFIRMED.once } }],
  [
    "a mesh stands before the upstream",
    { expectation: anUpstreamExpectation(), surroundings: someSurroundings({ mesh: true }) },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Partial<Facts>, object[]]>([
  ["the leaf is from the future", {}, [leaf]],
  ["an intermediate is", { xray: tlsWith({ chain: [aCertificate(), earlyCa] }) }, [besideLeaf]],
  ["no other host told its clock", { surroundings: someSurroundings() }, [leaf]],
  [
    "another host's clock is within the limit",
    clockOff(skew),
    [{ ...leaf, evidence: { ...leaf.evidence, clockDifferenceSeconds: 60 } }],
  ],
  [
    "this node's clock is behind",
    clockOff(5 * MINUTE),
    [
      {
        ...leaf,
        summary: `${leaf.summary}: this node's clock is 5 min behind another host's`,
        evidence: { ...leaf.evidence, clockDifferenceSeconds: 300 },
      },
    ],
  ],
  [
    "this node's clock is ahead by one more than the limit",
    clockOff(-skew - 1),
    [
      {
        ...leaf,
        summary: `${leaf.summary}: this node's clock is 60 s ahead of another host's`,
        evidence: { ...leaf.evidence, clockDifferenceSeconds: -60.001 },
      },
    ],
  ],
])("reports it when %s", (_when, change, symptoms) => {
  expect(judged(change)).toEqual(symptoms);
});

it("reads what it declares", () => {
  expect(factsRead(tlsCertNotYetValid)).toEqual(factsDeclared(tlsCertNotYetValid));
});
