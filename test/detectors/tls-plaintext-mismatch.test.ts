import { expect, it } from "vitest";
import { tlsPlaintextMismatch } from "../../src/detectors/tls-plaintext-mismatch.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { XrayReport } from "../../src/model/xray.ts";
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

const firstOctets = "000006040000000000";
const failed = (report: Change<XrayReport>): Facts["xray"] =>
  anXray({
    latest: anXrayReport({
      outcome: "failed",
      phase: "tls",
      spoke: "tls",
      settings: undefined,
      sniff: { found: "h2c", firstOctets },
      ...report,
    }),
  });
/** The handshake began, and nothing of TLS came back. */
const noTls = someTls({ version: undefined, chain: [], selectedAlpn: undefined });
const expecting = (protocol: "plaintext" | "tls" | undefined) => anExpectation({ protocol });
/** Each test changes one thing of it: TLS is expected, and HTTP/2 in clear is spoken. */
const sick: Partial<Facts> = { xray: failed({ tls: noTls }), expectation: expecting("tls") };
const judged = (change: Partial<Facts>) => judge(tlsPlaintextMismatch, { ...sick, ...change });
const asPlaintext = (report: Change<XrayReport>): Partial<Facts> => ({
  expectation: expecting("plaintext"),
  xray: failed({ spoke: "plaintext", phase: "http2", sniff: { found: "tls" }, ...report }),
});

const symptom = {
  subject: {},
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "TLS is expected, but the server speaks HTTP/2 in clear",
  evidence: { expected: "tls", found: "h2c", firstOctets },
};

it.each<[string, Partial<Facts>]>([
  ["TLS is expected and works", { xray: anXray({ latest: anXrayReport({ tls: someTls() }) }) }],
  ["plaintext is expected and works", { expectation: expecting("plaintext"), xray: anXray() }],
  [
    "TLS is expected and its version was agreed on",
    { xray: failed({ tls: someTls({ chain: [] }) }) },
  ],
  ["TLS is expected and an alert came", { xray: failed({ tls: { ...noTls, alert: 40 } }) }],
  [
    "TLS is expected and a certificate came",
    { xray: failed({ tls: { ...noTls, chain: [aCertificate()] } }) },
  ],
  ["a port that speaks both sent SETTINGS", asPlaintext({ settings: {} })],
  ["plaintext is expected and HTTP/1 answers", asPlaintext({ sniff: { found: "http1" } })],
  ["plaintext is expected and h2c answers", asPlaintext({ sniff: { found: "h2c" } })],
  ["the server closes, as one that drains", { xray: failed({ sniff: { found: "closed" } }) }],
  ["the server is mute", { xray: failed({ sniff: { found: "mute" } }) }],
  ["something else answers", { xray: failed({ sniff: { found: "other" } }) }],
  ["TLS is expected and TLS answers the sniff", { xray: failed({ sniff: { found: "tls" } }) }],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it.each<[string, Partial<Facts>]>([
  ["no protocol was stated", { expectation: expecting(undefined) }],
  ["nothing was sniffed", { xray: failed({ sniff: undefined }) }],
  ["it was seen only once", { xray: { ...failed({}), same: UNCONFIRMED.once } }],
  [
    "a mesh stands before the upstream",
    {
      expectation: anUpstreamExpectation({ protocol: "tls" }),
      surroundings: someSurroundings({ mesh: true }),
    },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Partial<Facts>, object]>([
  ["TLS is expected, and h2c is spoken", {}, symptom],
  ["no TLS record came at all", { xray: failed({}) }, symptom],
  [
    "TLS is expected, and HTTP/1 is spoken in clear",
    { xray: failed({ sniff: { found: "http1", firstOctets: "485454502f312e31" } }) },
    {
      ...symptom,
      summary: "TLS is expected, but the server speaks HTTP/1 in clear",
      evidence: { expected: "tls", found: "http1", firstOctets: "485454502f312e31" },
    },
  ],
  [
    "plaintext is expected, and TLS is spoken",
    asPlaintext({}),
    {
      ...symptom,
      summary: "Plaintext is expected, but the server speaks TLS",
      evidence: { expected: "plaintext", found: "tls" },
    },
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it("reads what it declares", () => {
  expect(factsRead(tlsPlaintextMismatch)).toEqual(factsDeclared(tlsPlaintextMismatch));
});
