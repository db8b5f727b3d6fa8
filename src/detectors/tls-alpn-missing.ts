import { judgeHandshake } from "../model/handshake.ts";
import { present } from "../model/present.ts";
import type { TlsFacts } from "../model/xray.ts";
import { defineDetector } from "./detector.ts";
import { tlsClientCertRejected } from "./tls-client-cert-rejected.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";
import { tlsVersionMismatch } from "./tls-version-mismatch.ts";

/** no_application_protocol. */
const NO_PROTOCOL = 120;

/**
 * The server does not agree to HTTP/2 in the handshake.
 *
 * gRPC over TLS needs ALPN `h2`. Go since 1.67, C-core and Java refuse a server that does not select
 * it; grpc-js and older Go go on without. So the same server works for some clients and not for
 * others, and a passing grpc-js client proves nothing.
 *
 * Source: RFC 9113 section 3.2, RFC 7301 section 3.2, grpc-go 1.67 release notes (enforced ALPN).
 */
export const tlsAlpnMissing = defineDetector({
  code: "tls-alpn-missing",
  title: "The server does not select HTTP/2 by ALPN",
  layer: "tls",
  severity: "critical",
  remedy:
    "Enable HTTP/2 with ALPN in the server or load balancer. Refused by Go ≥ 1.67, C-core and Java; grpc-js and older Go work without, so a grpc-js client passing proves nothing.",
  needs: ["xray", "expectation"],
  uses: ["surroundings", "sockets"],
  causes: [tlsPlaintextMismatch, tlsVersionMismatch, tlsClientCertRejected],
  lacks: "a TLS handshake that came as far as ALPN, twice alike",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {},

  detect({ xray, expectation, surroundings, sockets }) {
    return judgeHandshake({ xray, expectation, surroundings }, (tls) => {
      if (tls.selectedAlpn === "h2") return [];
      // A handshake that failed for another reason selected nothing.
      if (tls.selectedAlpn === undefined && tls.alert !== NO_PROTOCOL) return undefined;
      const speaksHttp2 = xray.latest.settings !== undefined;
      const othersSucceed = sockets?.freshOthersSucceed;
      return [
        {
          subject: {},
          severity: speaksHttp2 && othersSucceed === true ? "warning" : "critical",
          witnesses: ["preflight"],
          isDeterministic: true,
          summary: summaryOf(tls, speaksHttp2),
          evidence: present({
            offered: tls.offeredAlpn,
            selected: tls.selectedAlpn || undefined, // none is told by absence
            preferred: tls.preferredAlpn || undefined,
            alert: tls.alert,
            speaksHttp2,
            othersSucceed,
          }),
        },
      ];
    });
  },
});

function summaryOf({ selectedAlpn, alert }: TlsFacts, speaksHttp2: boolean): string {
  if (selectedAlpn === undefined) return `The server rejects ALPN h2 with alert ${alert}`;
  const selected = selectedAlpn === "" ? "no protocol" : selectedAlpn;
  const anyway = speaksHttp2 ? ", and speaks HTTP/2 anyway: only some clients accept that" : "";
  return `Offered h2 by ALPN, the server selects ${selected}${anyway}`;
}
