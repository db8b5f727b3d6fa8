import { acceptQueueOverflow } from "./accept-queue-overflow.ts";
import { addressFamilyMismatch } from "./address-family-mismatch.ts";
import { agentOverloaded } from "./agent-overloaded.ts";
import { appFrozen } from "./app-frozen.ts";
import { authRejected } from "./auth-rejected.ts";
import { channelLeak } from "./channel-leak.ts";
import { channelStuck } from "./channel-stuck.ts";
import { compressionUnsupported } from "./compression-unsupported.ts";
import { configRejected } from "./config-rejected.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { connectionChurn } from "./connection-churn.ts";
import { connectionRefused } from "./connection-refused.ts";
import { contractDrift } from "./contract-drift.ts";
import { deadlineStorm } from "./deadline-storm.ts";
import type { Detector } from "./detector.ts";
import { detectorCrashed } from "./detector-crashed.ts";
import { dnsFailing } from "./dns-failing.ts";
import { dnsStale } from "./dns-stale.ts";
import { errorBurst } from "./error-burst.ts";
import { fdExhaustion } from "./fd-exhaustion.ts";
import { halfOpenConnection } from "./half-open-connection.ts";
import { healthFlapping } from "./health-flapping.ts";
import { healthNotServing } from "./health-not-serving.ts";
import { healthUnknownService } from "./health-unknown-service.ts";
import { inFlightBuildup } from "./in-flight-buildup.ts";
import { l4Pinning } from "./l4-pinning.ts";
import { loopbackOnly } from "./loopback-only.ts";
import { messageTooLarge } from "./message-too-large.ts";
import { metadataTooLarge } from "./metadata-too-large.ts";
import { notGrpc } from "./not-grpc.ts";
import { probeFailing } from "./probe-failing.ts";
import { probeSlow } from "./probe-slow.ts";
import { retryStorm } from "./retry-storm.ts";
import { streamExhaustion } from "./stream-exhaustion.ts";
import { streamsRefused } from "./streams-refused.ts";
import { tlsAlpnMissing } from "./tls-alpn-missing.ts";
import { tlsCertExpired } from "./tls-cert-expired.ts";
import { tlsCertExpiring } from "./tls-cert-expiring.ts";
import { tlsCertNotReloaded } from "./tls-cert-not-reloaded.ts";
import { tlsCertNotYetValid } from "./tls-cert-not-yet-valid.ts";
import { tlsClientCertRejected } from "./tls-client-cert-rejected.ts";
import { tlsPlaintextMismatch } from "./tls-plaintext-mismatch.ts";
import { tlsSanMismatch } from "./tls-san-mismatch.ts";
import { tlsUntrustedIssuer } from "./tls-untrusted-issuer.ts";
import { tlsVersionMismatch } from "./tls-version-mismatch.ts";
import { unimplementedCalls } from "./unimplemented-calls.ts";

/** Every code there is, by layer, then by name. */
export const DETECTORS: readonly Detector[] = [
  dnsFailing,
  dnsStale,
  l4Pinning,

  addressFamilyMismatch,
  connectionRefused,
  loopbackOnly,

  acceptQueueOverflow,
  appFrozen,
  connectBlackholed,
  fdExhaustion,
  halfOpenConnection,

  tlsAlpnMissing,
  tlsCertExpired,
  tlsCertExpiring,
  tlsCertNotReloaded,
  tlsCertNotYetValid,
  tlsClientCertRejected,
  tlsPlaintextMismatch,
  tlsSanMismatch,
  tlsUntrustedIssuer,
  tlsVersionMismatch,

  connectionChurn,
  metadataTooLarge,
  notGrpc,
  streamExhaustion,
  streamsRefused,

  authRejected,
  compressionUnsupported,
  contractDrift,
  messageTooLarge,
  unimplementedCalls,

  channelLeak,
  channelStuck,
  deadlineStorm,
  errorBurst,
  healthFlapping,
  healthNotServing,
  healthUnknownService,
  inFlightBuildup,
  probeFailing,
  probeSlow,
  retryStorm,

  agentOverloaded,
  configRejected,
  detectorCrashed,
];
