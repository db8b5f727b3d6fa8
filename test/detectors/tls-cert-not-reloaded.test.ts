import { describe, expect, it } from "vitest";
import { tlsCertNotReloaded } from "../../src/detectors/tls-cert-not-reloaded.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { CertificateFacts, TlsFacts } from "../../src/model/xray.ts";
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
  type JudgeOptions,
  judge,
  MINUTE,
  NOW,
  SECOND,
  someSurroundings,
  someTls,
  UNCONFIRMED,
} from "../support/snapshot.ts";

const OLD = { fingerprint: "0d".repeat(32), notBefore: NOW - 80 * DAY, notAfter: NOW + 10 * DAY };

/** Served since an hour, X-rayed again and again. */
const serving = (
  leaf: Partial<CertificateFacts> = {},
  tls: Change<TlsFacts> = {},
  same: Facts["xray"]["same"] = { since: NOW - HOUR, lastAt: NOW, count: 120 },
) =>
  anXray({
    latest: anXrayReport({
      spoke: "tls",
      tls: someTls({ leafKeyType: "rsa", chain: [aCertificate({ ...OLD, ...leaf })], ...tls }),
    }),
    same,
  });

const renewed = aServedFile({ notBefore: NOW - HOUR, changedAt: NOW - HOUR, keyType: "rsa" });
const file = (change: Change<Facts["servedFile"]>) => aServedFile({ ...renewed, ...change });

const judged = (
  facts: Partial<Facts> = {},
  options: JudgeOptions<typeof tlsCertNotReloaded> = {},
) =>
  judge(
    tlsCertNotReloaded,
    { xray: serving(), expectation: anExpectation(), servedFile: renewed, ...facts },
    options,
  );

describe("is silent about", () => {
  it.each<[string, Partial<Facts>]>([
    ["the file that is served", { xray: serving({ fingerprint: renewed.fingerprint ?? "" }) }],
    ["a file older than what is served", { servedFile: file({ notBefore: OLD.notBefore - 1 }) }],
    ["a pair of an RSA and an ECDSA certificate", { servedFile: file({ keyType: "ec" }) }],
    [
      "plaintext",
      { xray: anXray({ latest: anXrayReport({ spoke: "plaintext", tls: undefined }) }) },
    ],
  ])("%s", (_what, facts) => {
    expect(judged(facts)).toEqual([]);
  });
});

describe("does not judge", () => {
  it("two X-rays that lie closer than half a minute", () => {
    const servedFile = file({ notAfter: NOW - HOUR + 100 * SECOND, changedAt: NOW - 40 * SECOND });
    const since = NOW - 29_999;
    expect(
      judged({ servedFile, xray: serving({}, {}, { since, lastAt: NOW, count: 3 }) }),
    ).toBeUndefined();
  });

  it.each<[string, Partial<Facts>]>([
    ["a file renewed a moment ago", { servedFile: file({ changedAt: NOW - 10 * MINUTE + 1 }) }],
    ["a file that the agent has just seen", { servedFile: file({ since: NOW - 10 * MINUTE + 1 }) }],
    [
      "a server whose certificate the agent has just seen",
      { xray: serving({}, {}, { since: NOW - 10 * MINUTE + 1, lastAt: NOW, count: 20 }) },
    ],
    ["a file that cannot be read", { servedFile: aServedFile({ fingerprint: undefined }) }],
    ["a handshake that sent no certificate", { xray: serving({}, { chain: [] }) }],
    [
      "what was seen once",
      { xray: serving({}, {}, { ...UNCONFIRMED.once, since: NOW - HOUR, lastAt: NOW }) },
    ],
    [
      "an upstream behind a mesh",
      { expectation: anUpstreamExpectation(), surroundings: someSurroundings({ mesh: true }) },
    ],
  ])("%s", (_what, facts) => {
    expect(judged(facts)).toBeUndefined();
  });

  it("without a file", () => {
    const facts = { xray: serving(), expectation: anExpectation() };
    expect(judge(tlsCertNotReloaded, facts)).toBeUndefined();
  });
});

describe("speaks", () => {
  it("of a renewed file that the server has not loaded", () => {
    expect(judged()).toMatchObject([
      {
        subject: {},
        severity: "warning",
        witnesses: ["preflight", "files"],
        isDeterministic: true,
        summary:
          "The certificate file was renewed 60 min ago, and the server still serves the old certificate, which ends in 10 d",
        evidence: {
          fingerprint: OLD.fingerprint,
          position: "leaf",
          fileFingerprint: "a1".repeat(32),
          fileNotAfterAt: new Date(NOW + 60 * DAY).toISOString(),
          fileChangedAt: new Date(NOW - HOUR).toISOString(),
          differsSeconds: 3600,
          remainingSeconds: 864_000,
        },
      },
    ]);
  });

  it.each([
    ["two days are left", NOW + 2 * DAY, "warning"],
    ["less is left", NOW + 2 * DAY - 1, "critical"],
    ["it has ended", NOW - HOUR, "critical"],
  ])("when %s as %s", (_when, notAfter, severity) => {
    expect(judged({ xray: serving({ notAfter, notBefore: NOW - 300 * DAY }) })).toMatchObject([
      { severity },
    ]);
  });

  it("sooner of a certificate that lives an hour", () => {
    const servedFile = file({
      notBefore: NOW - 6 * MINUTE,
      notAfter: NOW + 54 * MINUTE,
      changedAt: NOW - 6 * MINUTE,
      since: NOW - 6 * MINUTE,
    });
    expect(judged({ servedFile })).toHaveLength(1);
    expect(judged({ servedFile: { ...servedFile, since: NOW - 6 * MINUTE + 1 } })).toBeUndefined();
  });

  it("with its own patience", () => {
    expect(judged({}, { limits: { settle: HOUR } })).toHaveLength(1);
    expect(judged({}, { limits: { settle: HOUR + 1 } })).toBeUndefined();
  });

  it("where the kinds of the keys are not known", () => {
    expect(judged({ servedFile: file({ keyType: undefined }) })).toHaveLength(1);
    expect(judged({ xray: serving({}, { leafKeyType: undefined }) })).toHaveLength(1);
  });
});

it("reads what it declares", () => {
  judged({ surroundings: someSurroundings() });
  expect(factsRead(tlsCertNotReloaded)).toEqual(factsDeclared(tlsCertNotReloaded));
});
