import {
  certificateEvidence,
  type SentCertificate,
  sentCertificates,
} from "../model/certificate-evidence.ts";
import { LAST_MOMENT, leastLeftMs } from "../model/certificate-life.ts";
import { durationText } from "../model/duration-text.ts";
import { judgeCertificates } from "../model/handshake.ts";
import { rfc3339 } from "../model/time.ts";
import type { TlsFacts } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { tlsCertExpired } from "./tls-cert-expired.ts";
import { tlsCertNotReloaded } from "./tls-cert-not-reloaded.ts";

/**
 * A certificate should have been renewed by now.
 *
 * How long before its end a certificate is renewed depends on its lifetime: at half of an hour, at a
 * third of ninety days. So both a length of time and a share of the lifetime must be undercut.
 *
 * Source: RFC 5280 section 4.1.2.5; RFC 8739 section 2.1 (renewal of short-term certificates).
 */
export const tlsCertExpiring = defineDetector({
  code: "tls-cert-expiring",
  title: "A certificate expires soon and was not renewed",
  layer: "tls",
  severity: "critical",
  remedy: "Renew it now and find out why the renewal did not happen by itself.",
  needs: ["xray", "expectation"],
  uses: ["surroundings", "servedFile"],
  causes: [tlsCertExpired, tlsCertNotReloaded],
  lacks: "a TLS handshake that showed a certificate, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {
    warnBefore: {
      unit: "ms",
      default: 21 * 86_400_000,
      min: 60_000,
      max: 365 * 86_400_000,
      says: "time left below which a long-lived certificate warns",
    },
    warnRatio: {
      unit: "ratio",
      default: 0.2,
      min: 0,
      max: 1,
      says: "share of its lifetime left below which a certificate warns",
    },
    criticalBefore: {
      unit: "ms",
      default: LAST_MOMENT.beforeMs,
      min: 60_000,
      max: 365 * 86_400_000,
      says: "time left below which a long-lived certificate is critical",
      atMost: "warnBefore",
    },
    criticalRatio: {
      unit: "ratio",
      default: LAST_MOMENT.ratio,
      min: 0,
      max: 1,
      says: "share of its lifetime left below which a certificate is critical",
      atMost: "warnRatio",
    },
  },

  detect({ wallNow: now, xray, expectation, surroundings, servedFile }, limits) {
    const file =
      servedFile?.notAfter === undefined ? {} : { fileNotAfterAt: rfc3339(servedFile.notAfter) };
    return judgeCertificates({ xray, expectation, surroundings }, (tls) =>
      nextToEnd(tls, now).flatMap((sent) => {
        const { certificate, position } = sent;
        const lifetimeMs = certificate.notAfter - certificate.notBefore;
        const remainingMs = certificate.notAfter - now;
        const { warnBefore, warnRatio, criticalBefore, criticalRatio } = limits;
        const warning = { beforeMs: warnBefore, ratio: warnRatio };
        const warningMs = leastLeftMs(certificate, warning);
        const critical = { beforeMs: criticalBefore, ratio: criticalRatio };
        const criticalMs = leastLeftMs(certificate, critical);
        const isCritical = remainingMs < criticalMs;
        if (!isCritical && remainingMs >= warningMs) return [];
        return [
          {
            subject: { certificate: position },
            severity: isCritical ? "critical" : "warning",
            witnesses: ["preflight"],
            isDeterministic: true,
            summary: `The ${position} certificate ${certificate.subject} expires in ${durationText(remainingMs)}, of a lifetime of ${durationText(lifetimeMs)}`,
            evidence: {
              ...certificateEvidence(tls, sent),
              remainingSeconds: remainingMs / 1000,
              lifetimeSeconds: lifetimeMs / 1000,
              limitSeconds: (isCritical ? criticalMs : warningMs) / 1000,
              ...(position === "leaf" ? file : {}),
            },
          },
        ];
      }),
    );
  },
});

/**
 * The leaf, and the intermediate with least time left of those that clients need. A root is replaced in
 * clients, not here.
 */
function nextToEnd(tls: TlsFacts, now: number): readonly SentCertificate[] {
  const running = sentCertificates(tls).filter(({ certificate }) => now <= certificate.notAfter);
  const [first] = running
    .filter(({ position }) => position === "intermediate")
    .filter(({ certificate }) => !certificate.isSelfSigned && certificate.isSpare !== true)
    .toSorted((a, b) => a.certificate.notAfter - b.certificate.notAfter);
  const leaf = running.filter(({ position }) => position === "leaf");
  return first === undefined ? leaf : [...leaf, first];
}
