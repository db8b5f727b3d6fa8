import { expect, it } from "vitest";
import { tlsCertExpiring } from "../../src/detectors/tls-cert-expiring.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import {
  aCertificate,
  anExpectation,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  aServedFile,
  DAY,
  factsDeclared,
  factsRead,
  HOUR,
  judge,
  NOW,
  someSurroundings,
  someTls,
  UNCONFIRMED,
} from "../support/snapshot.ts";

/** A certificate of that lifetime with so much left. */
const withLeft = (leftMs: number, lifetimeMs: number) =>
  aCertificate({ notAfter: NOW + leftMs, notBefore: NOW + leftMs - lifetimeMs });
const ca = (leftMs: number) => ({ ...withLeft(leftMs, 1000 * DAY), subject: "CN=Issuing CA" });
const chainOf = (...chain: ReturnType<typeof aCertificate>[]): Facts["xray"] =>
  anXray({ latest: anXrayReport({ spoke: "tls", tls: someTls({ chain }) }) });
/** Each test changes one thing of it. */
const sick: Partial<Facts> = {
  xray: chainOf(withLeft(17 * DAY, 90 * DAY)),
  expectation: anExpectation(),
};
const judged = (change: Partial<Facts>) => judge(tlsCertExpiring, { ...sick, ...change });

const warning = {
  subject: { certificate: "leaf" },
  severity: "warning",
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "The leaf certificate CN=orders expires in 17 d, of a lifetime of 90 d",
  evidence: {
    fingerprint: "a1".repeat(32),
    certSubject: "CN=orders",
    issuer: "CN=Example Issuing CA",
    notBeforeAt: "2025-11-03T12:00:00.000Z",
    notAfterAt: "2026-02-01T12:00:00.000Z",
    position: "leaf",
    sentCertificates: 1,
    remainingSeconds: 17 * 86_400,
    lifetimeSeconds: 90 * 86_400,
    limitSeconds: 18 * 86_400,
  },
};
const brief = (change: Partial<Facts>) =>
  judged(change)?.map(({ subject, severity, evidence }) => [
    subject["certificate"],
    severity,
    evidence["remainingSeconds"],
    evidence["limitSeconds"],
  ]);

it.each([
  ["90 days, renewed at a third", withLeft(30 * DAY, 90 * DAY)],
  ["a day, rotated at half", withLeft(12 * HOUR, DAY)],
  ["an hour, rotated at half", withLeft(HOUR / 2, HOUR)],
  ["exactly a fifth left", withLeft(18 * DAY, 90 * DAY)],
  ["two years, and exactly 21 days left", withLeft(21 * DAY, 730 * DAY)],
  ["not begun yet", aCertificate({ notBefore: NOW + 1, notAfter: NOW + 2 })],
  ["over: it has expired", withLeft(-1, 90 * DAY)],
])("is silent about a lifetime of %s", (_lifetime, leaf) => {
  expect(judged({ xray: chainOf(leaf) })).toEqual([]);
});

it("is silent about a root that is sent, and about expired intermediates", () => {
  const root = { ...ca(DAY), isSelfSigned: true };
  expect(judged({ xray: chainOf(aCertificate(), root, ca(-1)) })).toEqual([]);
});

it("is silent about an intermediate that clients do without, and tells the next one", () => {
  const spare = { ...ca(DAY), isSpare: true };
  expect(judged({ xray: chainOf(aCertificate(), spare) })).toEqual([]);
  expect(brief({ xray: chainOf(aCertificate(), spare, ca(9 * DAY)) })).toEqual([
    ["intermediate", "warning", 9 * 86_400, 21 * 86_400],
  ]);
});

it.each<[string, Partial<Facts>]>([
  ["no certificate was received", { xray: chainOf() }],
  [
    "it was seen only once",
    { xray: { ...chainOf(withLeft(DAY, 90 * DAY)), same: UNCONFIRMED.once } },
  ],
  [
    "a mesh stands before the upstream",
    { expectation: anUpstreamExpectation(), surroundings: someSurroundings({ mesh: true }) },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Partial<Facts>, object[]]>([
  ["less than a fifth is left", {}, [warning]],
  [
    "the file on disk is known",
    { servedFile: aServedFile({ notAfter: NOW + 80 * DAY }) },
    [{ ...warning, evidence: { ...warning.evidence, fileNotAfterAt: "2026-04-05T12:00:00.000Z" } }],
  ],
  ["the file cannot be read", { servedFile: aServedFile({ notAfter: undefined }) }, [warning]],
])("reports it when %s", (_when, change, symptoms) => {
  expect(judged(change)).toEqual(symptoms);
});

it.each([
  ["just under a fifth", withLeft(18 * DAY - 1, 90 * DAY), "warning", 18 * DAY],
  ["just under 21 days of two years", withLeft(21 * DAY - 1, 730 * DAY), "warning", 21 * DAY],
  ["exactly a twentieth", withLeft(DAY, 20 * DAY), "warning", 4 * DAY],
  ["just under a twentieth", withLeft(DAY - 1, 20 * DAY), "critical", DAY],
  ["exactly 48 hours of a year", withLeft(2 * DAY, 365 * DAY), "warning", 21 * DAY],
  ["just under 48 hours of a year", withLeft(2 * DAY - 1, 365 * DAY), "critical", 2 * DAY],
  ["its last millisecond", withLeft(0, 365 * DAY), "critical", 2 * DAY],
])("of %s left it says how bad that is", (_left, leaf, severity, limitMs) => {
  expect(brief({ xray: chainOf(leaf) })).toEqual([
    ["leaf", severity, (leaf.notAfter - NOW) / 1000, limitMs / 1000],
  ]);
});

it("reports the leaf, and the intermediate that ends first, without the leaf's file", () => {
  const xray = chainOf(withLeft(17 * DAY, 90 * DAY), ca(9 * DAY), ca(8 * DAY));
  const symptoms = judged({ xray, servedFile: aServedFile() });
  expect(symptoms?.map(({ evidence }) => "fileNotAfterAt" in evidence)).toEqual([true, false]);
  expect(brief({ xray })).toEqual([
    ["leaf", "warning", 17 * 86_400, 18 * 86_400],
    ["intermediate", "warning", 8 * 86_400, 21 * 86_400],
  ]);
});

it("reads what it declares", () => {
  expect(factsRead(tlsCertExpiring)).toEqual(factsDeclared(tlsCertExpiring));
});
