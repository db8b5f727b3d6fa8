import type { Evidence } from "./finding.ts";
import { rfc3339 } from "./time.ts";
import type { CertificateFacts, TlsFacts } from "./xray.ts";

/** A certificate of the chain that was sent. The leaf is the first. */
export interface SentCertificate {
  readonly certificate: CertificateFacts;
  readonly position: "leaf" | "intermediate";
}

/** The chain as sent, each with its place. A root is an `intermediate` that is self-signed. */
export function sentCertificates(tls: TlsFacts): readonly SentCertificate[] {
  return tls.chain.map((certificate, index) => ({
    certificate,
    position: index === 0 ? "leaf" : "intermediate",
  }));
}

/** A certificate whose dates do not hold. */
export interface DateFault extends SentCertificate {
  /** By how much; above 0. */
  readonly byMs: number;
  /** Clients are known to need it: the leaf, or a path that fails for its date. */
  readonly isNeeded: boolean;
}

/**
 * The worst fault of the leaf, and the worst among the other certificates that are not known to be
 * spare: a root is (clients have their own copy), and whatever a path to `ca` does without.
 *
 * `faultMs` tells by how much a certificate is at fault; 0 or less: it is not.
 */
export function dateFaults(
  tls: TlsFacts,
  faultMs: (certificate: CertificateFacts) => number,
): readonly DateFault[] {
  const [leaf, ...others] = sentCertificates(tls).map((sent) => ({
    ...sent,
    byMs: faultMs(sent.certificate),
  }));
  const isLeafFaulty = leaf !== undefined && leaf.byMs > 0;
  // Where the leaf itself is at fault, a path that fails by a date accuses nobody else.
  const isNeeded = tls.pathFailsByDate === true && !isLeafFaulty;
  const isSpare = tls.path === "ok" && tls.pathFailsByDate !== true;
  const worst = others
    .filter(({ byMs, certificate }) => byMs > 0 && certificate.isSpare !== true)
    .filter(({ certificate }) => isNeeded || !certificate.isSelfSigned)
    .toSorted((a, b) => b.byMs - a.byMs)[0];
  return [
    ...(isLeafFaulty ? [{ ...leaf, isNeeded: true }] : []),
    ...(worst === undefined || isSpare ? [] : [{ ...worst, isNeeded }]),
  ];
}

/** The evidence that every finding about a certificate has. */
export function certificateEvidence(
  tls: TlsFacts,
  { certificate, position }: SentCertificate,
): Evidence {
  return {
    certSubject: certificate.subject,
    issuer: certificate.issuer,
    notBeforeAt: rfc3339(certificate.notBefore),
    notAfterAt: rfc3339(certificate.notAfter),
    position,
    sentCertificates: tls.sentCertificates,
    fingerprint: certificate.fingerprint,
  };
}
