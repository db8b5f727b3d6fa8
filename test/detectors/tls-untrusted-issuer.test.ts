import { expect, it } from "vitest";
import { tlsUntrustedIssuer } from "../../src/detectors/tls-untrusted-issuer.ts";
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
  judge,
  someSurroundings,
  someTls,
  UNCONFIRMED,
} from "../support/snapshot.ts";

const tlsWith = (tls: Change<TlsFacts>): Facts["xray"] =>
  anXray({
    latest: anXrayReport({
      spoke: "tls",
      tls: someTls({
        path: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
        bundleCertificates: 2,
        sentCertificates: 1,
        ...tls,
      }),
    }),
  });
/** Each test changes one thing of it. */
const sick: Partial<Facts> = { xray: tlsWith({}), expectation: anExpectation({ hasCa: true }) };
const judged = (change: Partial<Facts>) => judge(tlsUntrustedIssuer, { ...sick, ...change });

const symptom = {
  subject: {},
  witnesses: ["preflight"],
  isDeterministic: true,
  summary:
    "The server sends its leaf alone: its issuer CN=Example Issuing CA is not in the clients' bundle",
  evidence: {
    fingerprint: "a1".repeat(32),
    certSubject: "CN=orders",
    issuer: "CN=Example Issuing CA",
    notBeforeAt: "2025-12-16T12:00:00.000Z",
    notAfterAt: "2026-03-16T12:00:00.000Z",
    position: "leaf",
    sentCertificates: 1,
    cause: "missing-intermediate",
    verifyError: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
    bundleCertificates: 2,
  },
};

it("is silent when a path leads to the bundle, whatever the dates say", () => {
  expect(judged({ xray: tlsWith({ path: "ok", pathFailsByDate: true }) })).toEqual([]);
});

it("is silent where the server speaks plaintext", () => {
  expect(judged({ xray: anXray() })).toEqual([]);
});

it.each<[string, Partial<Facts>]>([
  ["no bundle is configured", { expectation: anExpectation() }],
  ["no certificate was received", { xray: tlsWith({ chain: [] }) }],
  ["no path was sought", { xray: tlsWith({ path: undefined }) }],
  ["the path has a fault of another kind", { xray: tlsWith({ path: "INVALID_PURPOSE" }) }],
  ["it was seen only once", { xray: { ...tlsWith({}), same: UNCONFIRMED.once } }],
  [
    "a mesh stands before the upstream",
    {
      expectation: anUpstreamExpectation({ hasCa: true }),
      surroundings: someSurroundings({ mesh: true }),
    },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

const { bundleCertificates: _unknown, ...unbundled } = symptom.evidence;

it.each<[string, Change<TlsFacts>, object]>([
  ["the leaf is sent alone", {}, symptom],
  [
    "the bundle was not counted",
    { bundleCertificates: undefined },
    { ...symptom, evidence: unbundled },
  ],
  [
    "the leaf is signed by itself",
    {
      path: "DEPTH_ZERO_SELF_SIGNED_CERT",
      chain: [aCertificate({ isSelfSigned: true, issuer: "CN=orders" })],
    },
    {
      ...symptom,
      summary:
        "The server's certificate is signed by itself: its issuer CN=orders is not in the clients' bundle",
      evidence: {
        ...symptom.evidence,
        issuer: "CN=orders",
        cause: "self-signed",
        verifyError: "DEPTH_ZERO_SELF_SIGNED_CERT",
      },
    },
  ],
  [
    "the bundle has an issuer of that name with another key",
    { path: "CERT_SIGNATURE_FAILURE" },
    {
      ...symptom,
      summary:
        "The server's certificate comes from another CA: its issuer CN=Example Issuing CA is in the clients' bundle with another key",
      evidence: {
        ...symptom.evidence,
        cause: "other-ca",
        verifyError: "CERT_SIGNATURE_FAILURE",
      },
    },
  ],
  [
    "a whole chain of another CA is sent",
    { path: "SELF_SIGNED_CERT_IN_CHAIN", sentCertificates: 2 },
    {
      ...symptom,
      summary:
        "The server's certificate comes from another CA: its issuer CN=Example Issuing CA is not in the clients' bundle",
      evidence: {
        ...symptom.evidence,
        sentCertificates: 2,
        cause: "other-ca",
        verifyError: "SELF_SIGNED_CERT_IN_CHAIN",
      },
    },
  ],
])("reports it when %s", (_when, tls, expected) => {
  expect(judged({ xray: tlsWith(tls) })).toEqual([expected]);
});

it.each(["UNABLE_TO_GET_ISSUER_CERT", "UNABLE_TO_GET_ISSUER_CERT_LOCALLY"])(
  "takes %s for a missing path",
  (path) => {
    expect(judged({ xray: tlsWith({ path }) })).toEqual([
      { ...symptom, evidence: { ...symptom.evidence, verifyError: path } },
    ]);
  },
);

it("reads what it declares", () => {
  expect(factsRead(tlsUntrustedIssuer)).toEqual(factsDeclared(tlsUntrustedIssuer));
});

const bundleChanged = {
  ...symptom,
  summary:
    "The bundle was changed, and the server's certificate was not: its issuer CN=Example Issuing CA is not in the clients' bundle",
  remedy:
    "Put the issuer back into the clients' bundle until the server has a certificate of the new one: during a change of CA the bundle holds both.",
  evidence: { ...symptom.evidence, cause: "bundle-changed" },
};
const fingerprint = "a1".repeat(32);

it.each<[string, Facts["xray"]["verified"], object]>([
  ["another certificate led there", { fingerprint: "b2".repeat(32), sent: 1 }, symptom],
  ["it led there with its intermediate", { fingerprint, sent: 2 }, symptom],
  ["it led there as it is", { fingerprint, sent: 1 }, bundleChanged],
])("tells a leaf alone from a bundle that was changed: %s", (_when, verified, expected) => {
  expect(judged({ xray: { ...tlsWith({}), ...(verified && { verified }) } })).toEqual([expected]);
});
