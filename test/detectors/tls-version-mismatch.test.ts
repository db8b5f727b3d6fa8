import { expect, it } from "vitest";
import { tlsVersionMismatch } from "../../src/detectors/tls-version-mismatch.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { TlsFacts, XrayReport } from "../../src/model/xray.ts";
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

const tlsWith = (tls: Change<TlsFacts>, report: Change<XrayReport> = {}): Facts["xray"] =>
  anXray({
    latest: anXrayReport({
      outcome: "failed",
      phase: "tls",
      reason: "handshake_failed",
      spoke: "tls",
      settings: undefined,
      tls: someTls({ version: undefined, selectedAlpn: undefined, ...tls }),
      ...report,
    }),
  });
const sick: Partial<Facts> = {
  xray: tlsWith({ alert: 70 }, { reason: "protocol_version" }),
  expectation: anExpectation(),
};
const judged = (change: Partial<Facts>) => judge(tlsVersionMismatch, { ...sick, ...change });

it.each<[string, Partial<Facts>]>([
  ["the handshake ends well", { xray: tlsWith({ version: "TLSv1.2", selectedAlpn: "h2" }) }],
  [
    "a version was settled on, and the certificate of ours refused",
    { xray: tlsWith({ version: "TLSv1.3", alert: 42 }) },
  ],
  ["the server speaks plaintext", { xray: anXray() }],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it.each<[string, Partial<Facts>]>([
  [
    "alert 40 comes, which a server name or cipher suite earns too",
    { xray: tlsWith({ alert: 40 }) },
  ],
  ["the server name is not known to it", { xray: tlsWith({ alert: 112 }) }],
  ["no protocol of ours pleases it", { xray: tlsWith({ alert: 120 }) }],
  ["it hangs up without a word", { xray: tlsWith({}) }],
  ["it was seen only once", { xray: { ...tlsWith({ alert: 70 }), same: UNCONFIRMED.once } }],
  [
    "a mesh stands before the upstream",
    { expectation: anUpstreamExpectation(), surroundings: someSurroundings({ mesh: true }) },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

const symptom = {
  subject: {},
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "Offered TLS 1.2 and 1.3, the server takes neither",
  evidence: { cause: "version", alert: 70, offered: ["TLSv1.2", "TLSv1.3"] },
};

it.each<[string, Partial<Facts>, object]>([
  ["it says so by alert 70", {}, symptom],
  ["alert 70 is all that is known", { xray: tlsWith({ alert: 70 }) }, symptom],
  [
    "it picks an older version",
    { xray: tlsWith({}, { reason: "protocol_version" }) },
    { ...symptom, evidence: { cause: "version", offered: ["TLSv1.2", "TLSv1.3"] } },
  ],
  [
    "no cipher suite is secure enough for it",
    { xray: tlsWith({ alert: 71 }) },
    {
      ...symptom,
      summary: "The server finds no cipher suite of TLS 1.2 or 1.3 secure enough",
      evidence: { ...symptom.evidence, cause: "cipher", alert: 71 },
    },
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it("reads what it declares", () => {
  expect(factsRead(tlsVersionMismatch)).toEqual(factsDeclared(tlsVersionMismatch));
});
