import { expect, it } from "vitest";
import { tlsClientCertRejected } from "../../src/detectors/tls-client-cert-rejected.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { TlsFacts, XrayReport } from "../../src/model/xray.ts";
import {
  anExpectation,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  type Change,
  DAY,
  factsDeclared,
  factsRead,
  judge,
  NOW,
  someSockets,
  someSurroundings,
  someTls,
  UNCONFIRMED,
} from "../support/snapshot.ts";

const asked = {
  clientCertificateAsked: true,
  clientCertificateSent: true,
  clientCertificate: {
    fingerprint: "c3".repeat(32),
    issuer: "CN=Clients CA",
    notAfter: NOW + DAY,
  },
};
const tlsWith = (tls: Change<TlsFacts>, report: Change<XrayReport> = {}): Facts["xray"] =>
  anXray({
    latest: anXrayReport({
      outcome: "failed",
      phase: "tls",
      spoke: "tls",
      settings: undefined,
      tls: someTls({ ...asked, alert: 48, ...tls }),
      ...report,
    }),
  });
/** TLS 1.3: nothing but the end of the connection tells. */
const closing = (tls: Change<TlsFacts>, report: Change<XrayReport> = {}) => ({
  xray: tlsWith({ alert: undefined, ...tls }, { silence: "closed", ...report }),
});
/** The server hung up within the handshake. */
const WITHIN = { silence: undefined, reason: "client_certificate_rejected" } as const;
const given = { hasClientCertificate: true };
/** Each test changes one thing of it. */
const sick: Partial<Facts> = { xray: tlsWith({}), expectation: anExpectation(given) };
const judged = (change: Partial<Facts>) => judge(tlsClientCertRejected, { ...sick, ...change });

const symptom = {
  subject: {},
  severity: "critical",
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "The server answers alert 48 when it is shown the client certificate",
  evidence: {
    alert: 48,
    tlsVersion: "TLSv1.3",
    clientFingerprint: "c3".repeat(32),
    clientIssuer: "CN=Clients CA",
    clientNotAfterAt: "2026-01-16T12:00:00.000Z",
  },
};
const { alert: _none, ...withoutAlert } = symptom.evidence;
const closed = {
  ...symptom,
  summary: "The server closes at once when it is shown the client certificate",
  evidence: withoutAlert,
};

/** nginx lets the handshake pass, and answers each call. */
const overHttp = (httpStatus: number, bodyStart: string, tls: Change<TlsFacts> = {}) => ({
  xray: tlsWith(
    { alert: undefined, ...tls },
    { phase: "rpc", settings: {}, rpc: { path: "/p", httpStatus, bodyStart } },
  ),
});
const NGINX = "<html> <head><title>400 The SSL certificate error</title></head>";

it.each<[string, Partial<Facts>]>([
  ["a 400 says something else", overHttp(400, "<html> <head><title>400 Bad Request")],
  ["a 404 page names certificates", overHttp(404, NGINX)],
  ["such a 400 comes without a demand", overHttp(400, NGINX, { clientCertificateAsked: false })],
  ["such a 400 comes, and none was sent", overHttp(400, NGINX, { clientCertificateSent: false })],
  ["it is accepted", { xray: tlsWith({ alert: undefined }, { settings: {} }) }],
  ["none was sent", { xray: tlsWith({ clientCertificateSent: false }) }],
  ["the alert is about something else", { xray: tlsWith({ alert: 41 }) }],
  ["the alert is 47", { xray: tlsWith({ alert: 47 }) }],
  [
    "alert 40 comes without a demand for one",
    { xray: tlsWith({ alert: 40, clientCertificateAsked: false }) },
  ],
  [
    "alert 80 comes without a demand for one",
    { xray: tlsWith({ alert: 80, clientCertificateAsked: false }) },
  ],
  [
    "alert 80 comes, and none was sent",
    { xray: tlsWith({ alert: 80, clientCertificateSent: false }) },
  ],
  ["the server closes on all, as it drains", closing({}, { sniff: { found: "closed" } })],
  ["the server closes after its SETTINGS", closing({}, { settings: {} })],
  ["the server is mute after the handshake", closing({}, { silence: "mute" })],
  ["TLS 1.2 closes after the handshake: that one answers in it", closing({ version: "TLSv1.2" })],
  [
    "TLS 1.2 closes within the handshake, and none was sent",
    closing({ version: "TLSv1.2", clientCertificateSent: false }, WITHIN),
  ],
  [
    "TLS 1.2 fails within the handshake for another reason",
    closing({ version: "TLSv1.2" }, { ...WITHIN, reason: "handshake_failed" }),
  ],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it("is silent where the server speaks plaintext", () => {
  expect(judged({ xray: anXray() })).toEqual([]);
});

it.each<[string, Partial<Facts>]>([
  ["no certificate was given to us", { expectation: anExpectation() }],
  ["nothing of TLS came back", { xray: tlsWith({ version: undefined, alert: undefined }) }],
  ["it was seen only once", { xray: { ...tlsWith({}), same: UNCONFIRMED.once } }],
  [
    "a mesh stands before the upstream",
    { expectation: anUpstreamExpectation(given), surroundings: someSurroundings({ mesh: true }) },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Partial<Facts>, object]>([
  ["an alert says so", {}, symptom],
  ["TLS 1.3 closes after the handshake", closing({}), closed],
  [
    "TLS 1.2 closes within the handshake",
    closing({ version: "TLSv1.2" }, WITHIN),
    { ...closed, severity: "warning", evidence: { ...withoutAlert, tlsVersion: "TLSv1.2" } },
  ],
  ["TLS 1.3 closes although a sniff is answered", closing({}, { sniff: { found: "tls" } }), closed],
  [
    "others succeed: then it is ours that is wrong",
    { sockets: someSockets({ freshOthersSucceed: true }) },
    {
      ...symptom,
      severity: "warning",
      summary: `${symptom.summary}; calls of others succeed`,
      evidence: { ...symptom.evidence, othersSucceed: true },
    },
  ],
  [
    "others do not",
    { sockets: someSockets({ freshOthersSucceed: false }) },
    { ...symptom, evidence: { ...symptom.evidence, othersSucceed: false } },
  ],
  [
    "little is known of it",
    {
      xray: tlsWith({
        version: undefined,
        clientCertificate: undefined,
      }),
    },
    { ...symptom, evidence: { alert: 48 } },
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it.each([40, 42, 43, 44, 45, 46, 48, 80, 116])("takes alert %d for a rejection", (alert) => {
  expect(judged({ xray: tlsWith({ alert }) })).toEqual([
    {
      ...symptom,
      summary: `The server answers alert ${alert} when it is shown the client certificate`,
      evidence: { ...symptom.evidence, alert },
    },
  ]);
});

it("reads what it declares", () => {
  expect(factsRead(tlsClientCertRejected)).toEqual(factsDeclared(tlsClientCertRejected));
});

it.each([
  [400, NGINX],
  [495, "<html> <head><title>495"],
])("tells a refusal by HTTP %d after the handshake", (httpStatus, bodyStart) => {
  expect(judged(overHttp(httpStatus, bodyStart))).toEqual([
    {
      ...closed,
      summary: `The server answers HTTP ${httpStatus} when it is shown the client certificate`,
      evidence: { ...closed.evidence, httpStatus },
    },
  ]);
});
