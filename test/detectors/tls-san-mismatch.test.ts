import { expect, it } from "vitest";
import { tlsSanMismatch } from "../../src/detectors/tls-san-mismatch.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { TlsFacts } from "../../src/model/xray.ts";
import {
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

const authority = "orders.shop.svc";
const names = ["payments.shop.svc", "order.shop.svc"];
const tlsWith = (tls: Change<TlsFacts>): Facts["xray"] =>
  anXray({
    latest: anXrayReport({
      spoke: "tls",
      tls: someTls({ coversAuthority: false, sans: names, ...tls }),
    }),
  });
/** Each test changes one thing of it. */
const sick: Partial<Facts> = { xray: tlsWith({}), expectation: anExpectation({ authority }) };
const judged = (change: Partial<Facts>) => judge(tlsSanMismatch, { ...sick, ...change });

const other = {
  subject: { name: authority },
  witnesses: ["preflight"],
  isDeterministic: true,
  summary:
    "The certificate does not cover orders.shop.svc; it is for payments.shop.svc, order.shop.svc",
  evidence: {
    fingerprint: "a1".repeat(32),
    certSubject: "CN=orders",
    issuer: "CN=Example Issuing CA",
    notBeforeAt: "2025-12-16T12:00:00.000Z",
    notAfterAt: "2026-03-16T12:00:00.000Z",
    position: "leaf",
    sentCertificates: 1,
    cause: "other-names",
    authority,
    sans: names,
    nearest: "order.shop.svc",
  },
};
const { nearest: _none, ...evidence } = other.evidence;
const noSan = {
  ...other,
  summary:
    "The certificate has no alternative names at all, so strict clients accept it for no name, orders.shop.svc included",
  evidence: { ...evidence, cause: "no-san", sans: [] },
};

it("is silent when the name is covered", () => {
  expect(judged({ xray: tlsWith({ coversAuthority: true }) })).toEqual([]);
});

it("is silent where the server speaks plaintext", () => {
  expect(judged({ xray: anXray() })).toEqual([]);
});

it.each<[string, Partial<Facts>]>([
  ["no authority is configured", { expectation: anExpectation() }],
  ["no certificate was received", { xray: tlsWith({ chain: [] }) }],
  ["the name was not compared", { xray: tlsWith({ coversAuthority: undefined }) }],
  ["it was seen only once", { xray: { ...tlsWith({}), same: UNCONFIRMED.once } }],
  [
    "a mesh stands before the upstream",
    {
      expectation: anUpstreamExpectation({ authority }),
      surroundings: someSurroundings({ mesh: true }),
    },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Partial<Facts>, object]>([
  ["the certificate is for other names", {}, other],
  [
    "it has no names, and the common name does not help",
    { xray: tlsWith({ hasSans: false, sans: [] }) },
    noSan,
  ],
  [
    "it has no names, though Node accepts the common name",
    { xray: tlsWith({ hasSans: false, sans: [], coversAuthority: true }) },
    noSan,
  ],
  [
    "it has no names, and nothing was compared",
    { xray: tlsWith({ hasSans: false, sans: [], coversAuthority: undefined }) },
    noSan,
  ],
])("reports it when %s", (_when, change, symptom) => {
  expect(judged(change)).toEqual([symptom]);
});

it("reads what it declares", () => {
  expect(factsRead(tlsSanMismatch)).toEqual(factsDeclared(tlsSanMismatch));
});
