import { certificateEvidence } from "../model/certificate-evidence.ts";
import { judgeCertificates } from "../model/handshake.ts";
import { nearestName } from "../model/nearest.ts";
import { present } from "../model/present.ts";
import { boundList } from "../model/subjects.ts";
import { defineDetector } from "./detector.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";

/**
 * The certificate is made for other names than the one that clients use.
 *
 * Clients check the name that they were given, not the address that it resolved to; so the name is
 * judged only where the configuration tells it (`authority`). A certificate without alternative names
 * is refused by Go, while Node still reads its common name.
 *
 * Source: RFC 6125 section 6.4, RFC 9525 section 6.1 (the common name is no longer read).
 */
export const tlsSanMismatch = defineDetector({
  code: "tls-san-mismatch",
  title: "The certificate does not cover the name that clients use",
  layer: "tls",
  severity: "critical",
  remedy:
    "Reissue the certificate with `service`, `service.namespace` and `service.namespace.svc.cluster.local`, or correct the clients' authority (override option: Go `WithAuthority`, Java `overrideAuthority`, C-core and grpc-js `grpc.ssl_target_name_override`).",
  needs: ["xray", "expectation"],
  uses: ["surroundings"],
  causes: [tlsPlaintextMismatch],
  lacks: "a stated `authority`, and a TLS handshake that showed a certificate, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  expects: {
    what: "`authority` of the target: the name that clients use",
    isStated: ({ authority }) => authority !== undefined,
  },
  limits: {},

  detect({ xray, expectation, surroundings }) {
    const { authority } = expectation;
    if (authority === undefined) return undefined;
    return judgeCertificates({ xray, expectation, surroundings }, (tls, leaf) => {
      const { coversAuthority, hasSans, sans } = tls;
      if (hasSans && coversAuthority === undefined) return undefined;
      if (hasSans && coversAuthority) return [];
      return [
        {
          subject: { name: authority },
          witnesses: ["preflight"],
          isDeterministic: true,
          summary: hasSans
            ? `The certificate does not cover ${authority}; it is for ${boundList(sans).join(", ")}`
            : `The certificate has no alternative names at all, so strict clients accept it for no name, ${authority} included`,
          evidence: present({
            cause: hasSans ? "other-names" : "no-san",
            authority,
            sans: boundList(sans),
            nearest: nearestName(authority, sans),
            ...certificateEvidence(tls, leaf),
          }),
        },
      ];
    });
  },
});
