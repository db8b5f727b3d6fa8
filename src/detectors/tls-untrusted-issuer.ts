import { certificateEvidence } from "../model/certificate-evidence.ts";
import type { Xray } from "../model/facts/xray.ts";
import { judgeCertificates } from "../model/handshake.ts";
import { present } from "../model/present.ts";
import type { CertificateFacts, TlsFacts } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";

/** An issuer of that name is in the bundle, and its key has not signed this. */
const OTHER_KEY = "CERT_SIGNATURE_FAILURE";

/** OpenSSL's words for "no path to the bundle". Others are faults of another kind: not judged. */
const NO_PATH: ReadonlySet<string> = new Set([
  OTHER_KEY,
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
]);

/**
 * No path leads from the server's certificate to the bundle that clients trust.
 *
 * Mostly the server sends its leaf alone, and clients miss the certificate between: browsers fetch it,
 * gRPC libraries do not. Judged against the configured bundle only; the system's roots say nothing
 * about what clients trust.
 *
 * Source: RFC 5280 section 6.1, RFC 8446 section 4.4.2 (the order of a chain), OpenSSL
 * X509_V_ERR_*.
 */
export const tlsUntrustedIssuer = defineDetector({
  code: "tls-untrusted-issuer",
  title: "The certificate leads to no issuer that clients trust",
  layer: "tls",
  severity: "critical",
  remedy:
    "Send the full chain from the server (leaf first), or give the clients the bundle that holds this issuer.",
  needs: ["xray", "expectation"],
  uses: ["surroundings"],
  causes: [tlsPlaintextMismatch],
  lacks:
    "a stated `ca`, and a TLS handshake whose certificate could be verified by it, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  expects: {
    what: "`tls.ca` of the target: the clients' bundle",
    isStated: ({ hasCa }) => hasCa,
  },
  limits: {},

  detect({ xray, expectation, surroundings }) {
    if (!expectation.hasCa) return undefined;
    return judgeCertificates({ xray, expectation, surroundings }, (tls, leaf) => {
      const { path, bundleCertificates } = tls;
      if (path === "ok") return [];
      if (path === undefined || !NO_PATH.has(path)) return undefined;
      const cause = causeOf(tls, leaf.certificate, xray.verified);
      const where =
        path === OTHER_KEY
          ? "in the clients' bundle with another key"
          : "not in the clients' bundle";
      return [
        {
          subject: {},
          witnesses: ["preflight"],
          isDeterministic: true,
          summary: `${SENTENCES[cause]}: its issuer ${leaf.certificate.issuer} is ${where}`,
          ...(cause === "bundle-changed" ? { remedy: RESTORE } : {}),
          evidence: present({
            cause,
            verifyError: path,
            bundleCertificates,
            ...certificateEvidence(tls, leaf),
          }),
        },
      ];
    });
  },
});

type Cause = "bundle-changed" | "missing-intermediate" | "self-signed" | "other-ca";

const SENTENCES: Readonly<Record<Cause, string>> = {
  "bundle-changed": "The bundle was changed, and the server's certificate was not",
  "missing-intermediate": "The server sends its leaf alone",
  "self-signed": "The server's certificate is signed by itself",
  "other-ca": "The server's certificate comes from another CA",
};

const RESTORE =
  "Put the issuer back into the clients' bundle until the server has a certificate of the new one: during a change of CA the bundle holds both.";

/** What led to the bundle as it was, and is sent as it was, lacks nothing: the bundle does. */
function causeOf(
  { sentCertificates: sent, path }: TlsFacts,
  { fingerprint, isSelfSigned }: CertificateFacts,
  verified: Xray["verified"],
): Cause {
  if (verified?.fingerprint === fingerprint && sent >= verified.sent) return "bundle-changed";
  if (isSelfSigned) return "self-signed";
  return sent === 1 && path !== OTHER_KEY ? "missing-intermediate" : "other-ca";
}
