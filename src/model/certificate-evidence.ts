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

/** True for a root that was sent: clients have their own copy, so its dates convict nobody. */
export function isSentRoot({ certificate, position }: SentCertificate): boolean {
  return position === "intermediate" && certificate.isSelfSigned;
}

/** The evidence that every finding about a certificate has. */
export function certificateEvidence(
  tls: TlsFacts,
  { certificate, position }: SentCertificate,
): Evidence {
  return {
    fingerprint: certificate.fingerprint,
    certSubject: certificate.subject,
    issuer: certificate.issuer,
    notBeforeAt: rfc3339(certificate.notBefore),
    notAfterAt: rfc3339(certificate.notAfter),
    position,
    sentCertificates: tls.sentCertificates,
  };
}
