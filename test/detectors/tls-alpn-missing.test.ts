import { expect, it } from "vitest";
import { tlsAlpnMissing } from "../../src/detectors/tls-alpn-missing.ts";
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
  someSockets,
  someSurroundings,
  someTls,
  UNCONFIRMED,
} from "../support/snapshot.ts";

const tlsWith = (tls: Change<TlsFacts>, report: Change<XrayReport> = {}): Facts["xray"] =>
  anXray({
    latest: anXrayReport({
      spoke: "tls",
      settings: undefined,
      tls: someTls({ selectedAlpn: "", ...tls }),
      ...report,
    }),
  });
/** Each test changes one thing of it. */
const sick: Partial<Facts> = { xray: tlsWith({}), expectation: anExpectation() };
const judged = (change: Partial<Facts>) => judge(tlsAlpnMissing, { ...sick, ...change });
const speaking = tlsWith({}, { settings: {} });
const others = (freshOthersSucceed: boolean) => ({ sockets: someSockets({ freshOthersSucceed }) });

const symptom = {
  subject: {},
  severity: "critical",
  witnesses: ["preflight"],
  isDeterministic: true,
  summary: "Offered h2 by ALPN, the server selects no protocol",
  evidence: { offered: ["h2"], speaksHttp2: false },
};
const anyway = {
  ...symptom,
  summary: `${symptom.summary}, and speaks HTTP/2 anyway: only some clients accept that`,
  evidence: { offered: ["h2"], speaksHttp2: true },
};

it("is silent when h2 is selected", () => {
  expect(judged({ xray: tlsWith({ selectedAlpn: "h2" }) })).toEqual([]);
});

it("is silent where the server speaks plaintext", () => {
  expect(judged({ xray: anXray() })).toEqual([]);
});

it.each<[string, Partial<Facts>]>([
  ["the handshake failed otherwise", { xray: tlsWith({ selectedAlpn: undefined, alert: 40 }) }],
  ["the handshake did not end", { xray: tlsWith({ selectedAlpn: undefined }) }],
  ["it was seen only once", { xray: { ...tlsWith({}), same: UNCONFIRMED.once } }],
  [
    "a mesh stands before the upstream",
    { expectation: anUpstreamExpectation(), surroundings: someSurroundings({ mesh: true }) },
  ],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Partial<Facts>, object]>([
  ["nothing is selected", {}, symptom],
  [
    "HTTP/1 is preferred",
    { xray: tlsWith({ preferredAlpn: "http/1.1" }) },
    { ...symptom, evidence: { ...symptom.evidence, preferred: "http/1.1" } },
  ],
  ["nothing is preferred either", { xray: tlsWith({ preferredAlpn: "" }) }, symptom],
  [
    "another protocol is selected",
    { xray: tlsWith({ selectedAlpn: "http/1.1" }) },
    {
      ...symptom,
      summary: "Offered h2 by ALPN, the server selects http/1.1",
      evidence: { ...symptom.evidence, selected: "http/1.1" },
    },
  ],
  [
    "alert 120 comes",
    { xray: tlsWith({ selectedAlpn: undefined, alert: 120 }) },
    {
      ...symptom,
      summary: "The server rejects ALPN h2 with alert 120",
      evidence: { ...symptom.evidence, alert: 120 },
    },
  ],
  ["HTTP/2 is spoken anyway, and nobody can tell of others", { xray: speaking }, anyway],
  [
    "HTTP/2 is spoken anyway, and others fail too",
    { xray: speaking, ...others(false) },
    { ...anyway, evidence: { ...anyway.evidence, othersSucceed: false } },
  ],
  [
    "HTTP/2 is spoken anyway, and others succeed",
    { xray: speaking, ...others(true) },
    { ...anyway, severity: "warning", evidence: { ...anyway.evidence, othersSucceed: true } },
  ],
  [
    "others succeed, but no HTTP/2 is spoken to us",
    others(true),
    { ...symptom, evidence: { ...symptom.evidence, othersSucceed: true } },
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it("reads what it declares", () => {
  expect(factsRead(tlsAlpnMissing)).toEqual(factsDeclared(tlsAlpnMissing));
});
