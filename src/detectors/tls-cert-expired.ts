import { certificateEvidence, dateFaults } from "../model/certificate-evidence.ts";
import { durationText } from "../model/duration-text.ts";
import { judgeCertificates } from "../model/handshake.ts";
import { rfc3339 } from "../model/time.ts";
import { defineDetector } from "./detector.ts";
import { tlsCertNotReloaded } from "./tls-cert-not-reloaded.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";

/**
 * The server sends a certificate whose time is over.
 *
 * A date is a fact and needs no expectation. An expired certificate beside the leaf matters only where
 * a client needs it for its path: with `ca` that is known, without it is a warning. A root is never
 * needed, as clients have their own copy.
 *
 * Source: RFC 5280 sections 4.1.2.5 and 6.1.3.
 */
export const tlsCertExpired = defineDetector({
  code: "tls-cert-expired",
  title: "A certificate that the server sends has expired",
  layer: "tls",
  severity: "critical",
  remedy:
    "Renew the certificate and make the server reload it. C-core clients say only 'certificate verify failed'.",
  needs: ["xray", "expectation"],
  uses: ["surroundings", "servedFile"],
  causes: [tlsPlaintextMismatch, tlsCertNotReloaded],
  lacks: "a TLS handshake that showed a certificate, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {},

  detect({ wallNow: now, xray, expectation, surroundings, servedFile }) {
    const file =
      servedFile?.notAfter === undefined ? {} : { fileNotAfterAt: rfc3339(servedFile.notAfter) };
    return judgeCertificates({ xray, expectation, surroundings }, (tls) =>
      dateFaults(tls, ({ notAfter }) => now - notAfter).map((fault) => ({
        subject: { certificate: fault.position },
        severity: fault.isNeeded ? "critical" : "warning",
        witnesses: ["preflight"],
        isDeterministic: true,
        summary: `The ${fault.position} certificate ${fault.certificate.subject} expired ${durationText(fault.byMs)} ago`,
        evidence: {
          ...certificateEvidence(tls, fault),
          expiredSeconds: fault.byMs / 1000,
          ...(fault.position === "leaf" ? file : {}),
        },
      })),
    );
  },
});
