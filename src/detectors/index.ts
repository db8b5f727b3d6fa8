import { acceptQueueOverflow } from "./accept-queue-overflow.ts";
import { appFrozen } from "./app-frozen.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { connectionRefused } from "./connection-refused.ts";
import type { Detector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";
import { dnsStale } from "./dns-stale.ts";
import { l4Pinning } from "./l4-pinning.ts";
import { loopbackOnly } from "./loopback-only.ts";
import { notGrpc } from "./not-grpc.ts";
import { tlsAlpnMissing } from "./tls-alpn-missing.ts";
import { tlsCertExpired } from "./tls-cert-expired.ts";
import { tlsCertExpiring } from "./tls-cert-expiring.ts";
import { tlsCertNotYetValid } from "./tls-cert-not-yet-valid.ts";
import { tlsClientCertRejected } from "./tls-client-cert-rejected.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";
import { tlsSanMismatch } from "./tls-san-mismatch.ts";
import { tlsUntrustedIssuer } from "./tls-untrusted-issuer.ts";

/** Every code there is, by layer, then by name. */
export const DETECTORS: readonly Detector[] = [
  dnsFailing,
  dnsStale,
  l4Pinning,

  connectionRefused,
  loopbackOnly,

  acceptQueueOverflow,
  appFrozen,
  connectBlackholed,

  tlsAlpnMissing,
  tlsCertExpired,
  tlsCertExpiring,
  tlsCertNotYetValid,
  tlsClientCertRejected,
  tlsPlaintextMismatch,
  tlsSanMismatch,
  tlsUntrustedIssuer,

  notGrpc,
];
