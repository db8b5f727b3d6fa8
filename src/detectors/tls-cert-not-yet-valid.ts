import { certificateEvidence, dateFaults } from "../model/certificate-evidence.ts";
import { durationText } from "../model/duration-text.ts";
import { judgeCertificates } from "../model/handshake.ts";
import { present } from "../model/present.ts";
import { defineDetector } from "./detector.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";

/**
 * The server sends a certificate whose time has not come.
 *
 * Mostly a clock is wrong: the issuer's, or this node's. The server shares our clock, so only another
 * host can tell; the `date` header of one decides which sentence is said.
 *
 * Source: RFC 5280 section 4.1.2.5, RFC 9110 section 6.6.1.
 */
export const tlsCertNotYetValid = defineDetector({
  code: "tls-cert-not-yet-valid",
  title: "A certificate that the server sends is not valid yet",
  layer: "tls",
  severity: "critical",
  remedy:
    "Correct the clock of the issuer or of this node, or wait until the certificate is valid; let the issuer back-date by a few minutes.",
  needs: ["xray", "expectation"],
  uses: ["surroundings"],
  causes: [tlsPlaintextMismatch],
  lacks: "a TLS handshake that showed a certificate, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {
    skew: {
      unit: "ms",
      default: 60_000,
      min: 1000,
      max: 86_400_000,
      says: "difference to another host's clock that makes this node's clock wrong",
    },
  },

  detect({ wallNow: now, xray, expectation, surroundings }, { skew }) {
    const differenceMs = surroundings?.clockDifferenceMs;
    const clock = clockSentence(differenceMs, skew);
    return judgeCertificates({ xray, expectation, surroundings }, (tls) =>
      dateFaults(tls, ({ notBefore }) => notBefore - now).map((fault) => ({
        subject: { certificate: fault.position },
        witnesses: ["preflight"],
        isDeterministic: true,
        summary: `The ${fault.position} certificate ${fault.certificate.subject} becomes valid in ${durationText(fault.byMs)}${clock}`,
        evidence: present({
          ...certificateEvidence(tls, fault),
          validInSeconds: fault.byMs / 1000,
          clockDifferenceSeconds: differenceMs === undefined ? undefined : differenceMs / 1000,
        }),
      })),
    );
  },
});

/** Whose clock it is, where another host's tells. */
function clockSentence(differenceMs: number | undefined, skew: number): string {
  if (differenceMs === undefined || Math.abs(differenceMs) <= skew) return "";
  const off = durationText(Math.abs(differenceMs));
  return `: this node's clock is ${off} ${differenceMs < 0 ? "ahead of" : "behind"} another host's`;
}
