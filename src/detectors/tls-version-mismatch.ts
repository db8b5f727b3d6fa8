import { judgeHandshake } from "../model/handshake.ts";
import { present } from "../model/present.ts";
import type { TlsFacts, XrayReport } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";

/** protocol_version. */
const NO_VERSION = 70;
/** insufficient_security: no cipher suite that it would take. */
const NO_CIPHER = 71;

/**
 * The server speaks no version of TLS that gRPC clients speak.
 *
 * HTTP/2 needs TLS 1.2, and every client offers 1.2 and 1.3 in one ClientHello, as the X-ray does; the
 * server picks one of them or refuses both. So one handshake tries both. Alert 40 is no proof: it says
 * the same of a cipher suite, a server name and a client certificate.
 *
 * Source: RFC 9113 section 9.2, RFC 8446 sections 4.2.1 and 6.2.
 */
export const tlsVersionMismatch = defineDetector({
  code: "tls-version-mismatch",
  title: "The server speaks no TLS version that clients speak",
  layer: "tls",
  severity: "critical",
  remedy: "Let the server accept TLS 1.2 or 1.3 with a common AEAD cipher suite.",
  needs: ["xray", "expectation"],
  uses: ["surroundings"],
  causes: [tlsPlaintextMismatch],
  lacks: "a TLS handshake that settled on a version, or that failed over the version, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {},

  detect({ xray, expectation, surroundings }) {
    return judgeHandshake({ xray, expectation, surroundings }, (tls) => {
      if (tls.version !== undefined) return [];
      const cause = causeOf(xray.latest, tls);
      if (cause === undefined) return undefined;
      return [
        {
          subject: {},
          witnesses: ["preflight"],
          isDeterministic: true,
          summary: SUMMARIES[cause],
          evidence: present({ cause, alert: tls.alert, offered: ["TLSv1.2", "TLSv1.3"] }),
        },
      ];
    });
  },
});

const SUMMARIES = {
  version: "Offered TLS 1.2 and 1.3, the server takes neither",
  cipher: "The server finds no cipher suite of TLS 1.2 or 1.3 secure enough",
} as const;

/** Its own alert, or a ServerHello of an older version, which our side refuses. */
function causeOf({ reason }: XrayReport, { alert }: TlsFacts): keyof typeof SUMMARIES | undefined {
  if (alert === NO_CIPHER) return "cipher";
  return alert === NO_VERSION || reason === "protocol_version" ? "version" : undefined;
}
