import { expect, it } from "vitest";
import { tlsCertExpired } from "../../src/detectors/tls-cert-expired.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { TlsFacts } from "../../src/model/xray.ts";
import {
  aCertificate,
  anExpectation,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  aServedFile,
  type Change,
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

const expired = aCertificate({ notBefore: NOW - 90 * DAY, notAfter: NOW - 3 * HOUR });
const intermediate = aCertificate({
  fingerprint: "b2".repeat(32),
  subject: "CN=Example Issuing CA",
  issuer: "CN=Example Root",
  isCa: true,
  notBefore: NOW - 900 * DAY,
  notAfter: NOW - 2 * DAY,
});
const older = { ...intermediate, subject: "CN=Older CA", notAfter: NOW - 3 * DAY };
const root = { ...intermediate, subject: "CN=Example Root", isSelfSigned: true };

const tlsWith = (tls: Change<TlsFacts>): Facts["xray"] =>
  anXray({ latest: anXrayReport({ spoke: "tls", tls: someTls({ chain: [expired], ...tls }) }) });
/** Each test changes one thing of it. */
const sick: Partial<Facts> = { xray: tlsWith({}), expectation: anExpectation() };
const judged = (change: Partial<Facts>) => judge(tlsCertExpired, { ...sick, ...change });

const leaf = {
  subject: { certificate: "leaf" },
  severity: "critical",
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "The leaf certificate CN=orders expired 3 h ago",
  evidence: {
    fingerprint: "a1".repeat(32),
    certSubject: "CN=orders",
    issuer: "CN=Example Issuing CA",
    notBeforeAt: "2025-10-17T12:00:00.000Z",
    notAfterAt: "2026-01-15T09:00:00.000Z",
    position: "leaf",
    sentCertificates: 1,
    expiredSeconds: 10_800,
  },
};
const besideLeaf = {
  subject: { certificate: "intermediate" },
  severity: "warning",
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "The intermediate certificate CN=Example Issuing CA expired 2 d ago",
  evidence: {
    fingerprint: "b2".repeat(32),
    certSubject: "CN=Example Issuing CA",
    issuer: "CN=Example Root",
    notBeforeAt: "2023-07-30T12:00:00.000Z",
    notAfterAt: "2026-01-13T12:00:00.000Z",
    position: "intermediate",
    sentCertificates: 1,
    expiredSeconds: 172_800,
  },
};

it.each<[string, Change<TlsFacts>]>([
  ["the leaf is valid", { chain: [aCertificate()] }],
  ["the leaf ends right now", { chain: [{ ...expired, notAfter: NOW }] }],
  [
    "an intermediate ends right now",
    { chain: [aCertificate(), { ...intermediate, notAfter: NOW }] },
  ],
  [
    "clients do without the expired one, as its renewal is sent beside",
    { chain: [aCertificate(), { ...intermediate, isSpare: true }] },
  ],
  ["only a sent root has expired", { chain: [aCertificate(), root] }],
  [
    "a path to the clients' bundle does without the expired one",
    { chain: [aCertificate(), intermediate], path: "ok", pathFailsByDate: false },
  ],
  [
    "that path is good and nothing says that dates break it",
    { chain: [aCertificate(), intermediate], path: "ok" },
  ],
])("is silent when %s", (_when, tls) => {
  expect(judged({ xray: tlsWith(tls) })).toEqual([]);
});

it("is silent where the server speaks plaintext", () => {
  expect(judged({ xray: anXray() })).toEqual([]);
});

it.each<[string, Partial<Facts>]>([
  ["no handshake was seen", { xray: anXray({ latest: anXrayReport({ spoke: undefined }) }) }],
  ["no certificate was received", { xray: tlsWith({ chain: [] }) }],
  ["it was seen only once", { xray: { ...tlsWith({}), same: UNCONFIRMED.once } }],
  ["it was seen twice within a second", { xray: { ...tlsWith({}), same: UNCONFIRMED.tooSoon } }],
  [
    "a mesh stands before the upstream",
    { expectation: anUpstreamExpectation(), surroundings: someSurroundings({ mesh: true }) },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Partial<Facts>, object[]]>([
  ["the leaf has expired", {}, [leaf]],
  [
    "it was seen twice, exactly a second apart",
    { xray: { ...tlsWith({}), same: { since: NOW - 1000, lastAt: NOW, count: 2 } } },
    [leaf],
  ],
  ["a mesh stands around the app", { surroundings: someSurroundings({ mesh: true }) }, [leaf]],
  [
    "an intermediate has, and nothing tells who needs it",
    { xray: tlsWith({ chain: [aCertificate(), intermediate] }) },
    [besideLeaf],
  ],
  [
    "an intermediate has, beside a path that fails for another reason",
    { xray: tlsWith({ chain: [aCertificate(), intermediate], path: "CERT_UNTRUSTED" }) },
    [besideLeaf],
  ],
  [
    "the path to the bundle fails for an intermediate's date",
    {
      xray: tlsWith({
        chain: [aCertificate(), intermediate],
        path: "ok",
        pathFailsByDate: true,
      }),
    },
    [{ ...besideLeaf, severity: "critical" }],
  ],
  [
    "that path fails for the date of a sent root",
    { xray: tlsWith({ chain: [aCertificate(), root], path: "ok", pathFailsByDate: true }) },
    [
      {
        ...besideLeaf,
        severity: "critical",
        summary: "The intermediate certificate CN=Example Root expired 2 d ago",
        evidence: { ...besideLeaf.evidence, certSubject: "CN=Example Root" },
      },
    ],
  ],
  [
    "leaf and intermediate have, and the path fails by date: the leaf suffices for it",
    {
      xray: tlsWith({ chain: [expired, intermediate, root], path: "ok", pathFailsByDate: true }),
    },
    [leaf, besideLeaf],
  ],
  [
    "two intermediates have: the one that has for longer",
    { xray: tlsWith({ chain: [aCertificate(), intermediate, older] }) },
    [
      {
        ...besideLeaf,
        summary: "The intermediate certificate CN=Older CA expired 3 d ago",
        evidence: {
          ...besideLeaf.evidence,
          certSubject: "CN=Older CA",
          notAfterAt: "2026-01-12T12:00:00.000Z",
          expiredSeconds: 259_200,
        },
      },
    ],
  ],
  [
    "the file on disk is known",
    {
      xray: tlsWith({ chain: [expired, intermediate] }),
      servedFile: aServedFile({ notAfter: NOW + DAY }),
    },
    [
      { ...leaf, evidence: { ...leaf.evidence, fileNotAfterAt: "2026-01-16T12:00:00.000Z" } },
      besideLeaf,
    ],
  ],
  ["the file cannot be read", { servedFile: aServedFile({ notAfter: undefined }) }, [leaf]],
])("reports it when %s", (_when, change, symptoms) => {
  expect(judged(change)).toEqual(symptoms);
});

it("reads what it declares", () => {
  expect(factsRead(tlsCertExpired)).toEqual(factsDeclared(tlsCertExpired));
});
