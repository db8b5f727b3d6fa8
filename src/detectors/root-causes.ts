import type { Subject } from "../model/finding.ts";
import { upstreamName } from "../model/upstream-name.ts";
import { acceptQueueOverflow } from "./accept-queue-overflow.ts";
import { appFrozen } from "./app-frozen.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { connectionRefused } from "./connection-refused.ts";
import type { Detector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";
import { fdExhaustion } from "./fd-exhaustion.ts";
import { notGrpc } from "./not-grpc.ts";
import { tlsAlpnMissing } from "./tls-alpn-missing.ts";
import { tlsCertExpired } from "./tls-cert-expired.ts";
import { tlsCertNotYetValid } from "./tls-cert-not-yet-valid.ts";
import { tlsClientCertRejected } from "./tls-client-cert-rejected.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";
import { tlsSanMismatch } from "./tls-san-mismatch.ts";
import { tlsUntrustedIssuer } from "./tls-untrusted-issuer.ts";
import { tlsVersionMismatch } from "./tls-version-mismatch.ts";

/** Nobody gets as far as a connection. */
export const UNREACHABLE: readonly Detector[] = [dnsFailing, connectionRefused, connectBlackholed];

/** Nobody gets through the handshake. A certificate that will expire stops no one yet. */
const HANDSHAKE: readonly Detector[] = [
  tlsPlaintextMismatch,
  tlsVersionMismatch,
  tlsClientCertRejected,
  tlsCertExpired,
  tlsCertNotYetValid,
  tlsSanMismatch,
  tlsUntrustedIssuer,
  tlsAlpnMissing,
];

/** Whatever keeps a call from reaching a handler at all (findings: suppression). */
export const WIRE: readonly Detector[] = [
  ...UNREACHABLE,
  appFrozen,
  acceptQueueOverflow,
  fdExhaustion,
  ...HANDSHAKE,
  notGrpc,
];

/** Of the causes that name a place, only those of the place that an upstream's channels lead to explain them. */
export function isOnTheWayTo(cause: Subject, upstream: string | undefined): boolean {
  const place = cause["upstream"] ?? cause["address"] ?? cause["remote"];
  return place === undefined || upstreamName(place).name === upstream;
}
