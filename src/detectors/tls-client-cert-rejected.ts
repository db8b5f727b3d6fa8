import type { Evidence } from "../model/finding.ts";
import { judgeHandshake } from "../model/handshake.ts";
import { isCertificateRefusal } from "../model/http-certificate.ts";
import { present } from "../model/present.ts";
import { rfc3339 } from "../model/time.ts";
import type { TlsFacts, XrayReport } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";
import { tlsVersionMismatch } from "./tls-version-mismatch.ts";

/** bad, unsupported, revoked, expired, unknown certificate; unknown_ca; certificate_required. */
const REJECTIONS: ReadonlySet<number> = new Set([42, 43, 44, 45, 46, 48, 116]);
/**
 * About the certificate only if the server asked for one: handshake_failure, and the internal_error by
 * which grpc-java (netty over BoringSSL) refuses a certificate of another authority.
 */
const AMBIGUOUS: ReadonlySet<number> = new Set([40, 80]);

/**
 * The server does not accept the client certificate that it asked for.
 *
 * In TLS 1.3 the client has finished before the server looks at its certificate, so the refusal comes
 * as a connection that closes right after a handshake that seemed to work: clients say "Failed to
 * connect" or "Endpoint read failed". In TLS 1.2 it may close within the handshake. nginx lets the
 * handshake pass, and answers each call with HTTP 400. A demand for a certificate that nobody gave us is
 * a capability.
 *
 * Source: RFC 8446 sections 4.4.2.4 and 6.2, RFC 5246 section 7.4.6.
 */
export const tlsClientCertRejected = defineDetector({
  code: "tls-client-cert-rejected",
  title: "The server rejects the client certificate",
  layer: "tls",
  severity: "critical",
  remedy:
    "Issue the client certificate from a CA that the server trusts for clients, with client-auth usage, and check its dates.",
  needs: ["xray", "expectation"],
  uses: ["surroundings", "sockets"],
  causes: [tlsPlaintextMismatch, tlsVersionMismatch],
  lacks: "a client certificate, and a TLS handshake that came as far as asking for it, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  expects: {
    what: "`tls.cert` and `tls.key` of the target",
    isStated: ({ hasClientCertificate }) => hasClientCertificate,
  },
  limits: {},

  detect({ xray, expectation, surroundings, sockets }) {
    if (!expectation.hasClientCertificate) return undefined;
    return judgeHandshake({ xray, expectation, surroundings }, (tls) => {
      if (tls.version === undefined && tls.alert === undefined) return undefined;
      if (!isRejected(xray.latest, tls)) return [];
      const othersSucceed = sockets?.freshOthersSucceed;
      return [
        {
          subject: {},
          severity:
            othersSucceed === true || hangsUpWithin(xray.latest, tls) ? "warning" : "critical",
          witnesses: ["preflight"],
          isDeterministic: true,
          summary: `The server ${answerOf(xray.latest, tls)} when it is shown the client certificate${othersSucceed === true ? "; calls of others succeed" : ""}`,
          evidence: present({
            ...evidenceOf(tls),
            httpStatus: isCertificateRefusal(xray.latest) ? xray.latest.rpc?.httpStatus : undefined,
            othersSucceed,
          }),
        },
      ];
    });
  },
});

function isRejected(report: XrayReport, tls: TlsFacts): boolean {
  if (tls.clientCertificateSent !== true) return false;
  if (isCertificateRefusal(report)) return true;
  if (tls.alert === undefined)
    return closesAfterFinished(report, tls) || hangsUpWithin(report, tls);
  const isAsked = tls.clientCertificateAsked === true;
  return REJECTIONS.has(tls.alert) || (AMBIGUOUS.has(tls.alert) && isAsked);
}

function answerOf(report: XrayReport, { alert }: TlsFacts): string {
  if (isCertificateRefusal(report)) return `answers HTTP ${report.rpc?.httpStatus}`;
  return alert === undefined ? "closes at once" : `answers alert ${alert}`;
}

/** TLS 1.3: closed after our Finished and before SETTINGS; a server that drains closes on all. */
function closesAfterFinished(report: XrayReport, tls: TlsFacts): boolean {
  const isFirstFlight = tls.version === "TLSv1.3" && report.settings === undefined;
  return isFirstFlight && report.silence === "closed" && report.sniff?.found !== "closed";
}

/**
 * TLS 1.2: closed without a word in the middle of the handshake, once it had the certificate that it asked
 * for, as servers of Node do. Most others say an alert, so this one may have failed for a reason of its own.
 */
function hangsUpWithin(report: XrayReport, { version, alert }: TlsFacts): boolean {
  const isWithin = report.phase === "tls" && report.reason === "client_certificate_rejected";
  return version === "TLSv1.2" && alert === undefined && isWithin;
}

function evidenceOf({ alert, version, clientCertificate }: TlsFacts): Evidence {
  return present({
    alert,
    tlsVersion: version,
    clientFingerprint: clientCertificate?.fingerprint,
    clientIssuer: clientCertificate?.issuer,
    clientNotAfterAt: clientCertificate && rfc3339(clientCertificate.notAfter),
  });
}
