import { certificateEvidence } from "../model/certificate-evidence.ts";
import { LAST_MOMENT, leastLeftMs } from "../model/certificate-life.ts";
import { durationText } from "../model/duration-text.ts";
import type { ServedFile } from "../model/facts/served-file.ts";
import { judgeCertificates } from "../model/handshake.ts";
import { rfc3339 } from "../model/time.ts";
import type { CertificateFacts, TlsFacts } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";

/** A deploy of many pods, or a server that reloads once an hour of its short-lived certificate. */
const SETTLE_RATIO = 0.1;
/** Two X-rays that lie closer may have met the same moment of a reload. */
const XRAYS_SPAN_MS = 30_000;

/**
 * The certificate on the disk was renewed, and the server goes on with the old one.
 *
 * Renewal works, so nothing warns, until the old one ends and every handshake fails at once; a restart
 * would have cured it at any time.
 *
 * Source: RFC 5280 section 4.1.2.5 (validity).
 */
export const tlsCertNotReloaded = defineDetector({
  code: "tls-cert-not-reloaded",
  title: "The server does not serve the renewed certificate",
  layer: "tls",
  severity: "critical",
  remedy:
    "Reload credentials without restart. Go: `advancedtls` or `tls.Config.GetCertificate`; Java: `AdvancedTlsX509KeyManager`; C-core: the certificate provider that watches files; grpc-js: `experimental` certificate provider credentials; tonic: a rustls `ResolvesServerCert`. Or restart the pod on a change.",
  needs: ["xray", "expectation", "servedFile"],
  uses: ["surroundings"],
  expects: {
    what: "`tls.servedFrom` of the target",
    isStated: ({ hasServedFile }) => hasServedFile === true,
  },
  lacks:
    "a readable certificate in the file, and a TLS handshake that showed one, twice alike, for longer than a renewal takes to be served",
  holdMs: 0,
  clearAfterMs: 120_000,
  limits: {
    settle: {
      unit: "ms",
      default: 600_000,
      min: 10_000,
      max: 86_400_000,
      says: "How long a renewed file may wait to be loaded; a tenth of its lifetime, if that is less",
    },
  },

  detect({ now, wallNow, xray, expectation, surroundings, servedFile }, { settle }) {
    if (servedFile.fingerprint === undefined) return undefined;
    return judgeCertificates({ xray, expectation, surroundings }, (tls, leaf) => {
      if (!isSuccessor(servedFile, leaf.certificate, tls)) return [];
      const differsMs = now - Math.max(xray.same.since, servedFile.since ?? now);
      const fileMs = wallNow - (servedFile.changedAt ?? wallNow);
      const span = xray.same.lastAt - xray.same.since;
      const isSettled = Math.min(differsMs, fileMs) >= settleMs(servedFile, settle);
      if (!isSettled || span < XRAYS_SPAN_MS) return undefined;
      const remainingMs = leaf.certificate.notAfter - wallNow;
      return [
        {
          subject: {},
          severity:
            remainingMs < leastLeftMs(leaf.certificate, LAST_MOMENT) ? "critical" : "warning",
          witnesses: ["preflight", "files"],
          isDeterministic: true,
          summary: `The certificate file was renewed ${durationText(fileMs)} ago, and the server still serves the old certificate, ${endText(remainingMs)}`,
          evidence: {
            ...certificateEvidence(tls, leaf),
            ...fileEvidence(servedFile),
            differsSeconds: differsMs / 1000,
            remainingSeconds: remainingMs / 1000,
          },
        },
      ];
    });
  },
});

/** A newer certificate for a key of the same kind: a server may serve an RSA and an ECDSA one. */
function isSuccessor(
  { fingerprint, notBefore, keyType }: ServedFile,
  served: CertificateFacts,
  { leafKeyType }: TlsFacts,
): boolean {
  const isOtherKind = keyType !== undefined && leafKeyType !== undefined && keyType !== leafKeyType;
  return !isOtherKind && fingerprint !== served.fingerprint && (notBefore ?? 0) > served.notBefore;
}

function settleMs({ notBefore = 0, notAfter = Infinity }: ServedFile, settle: number): number {
  return Math.min(settle, SETTLE_RATIO * (notAfter - notBefore));
}

function endText(remainingMs: number): string {
  return remainingMs > 0
    ? `which ends in ${durationText(remainingMs)}`
    : `which ended ${durationText(-remainingMs)} ago`;
}

function fileEvidence({ fingerprint = "", notAfter, changedAt }: ServedFile) {
  return {
    fileFingerprint: fingerprint,
    ...(notAfter === undefined ? {} : { fileNotAfterAt: rfc3339(notAfter) }),
    ...(changedAt === undefined ? {} : { fileChangedAt: rfc3339(changedAt) }),
  };
}
