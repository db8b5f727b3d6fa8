/**
 * Why an attempt failed: a closed set, safe as a metric label.
 *
 * The first group are the handshake words of gRFC A118, the second the disconnect words of gRFC
 * A94, the third our own. A server's text never becomes a reason.
 */
export const REASONS = [
  "certificate_expired",
  "certificate_not_yet_valid",
  "hostname_mismatch",
  "untrusted_issuer",
  "client_certificate_rejected",
  "client_certificate_required",
  "protocol_version",
  "alpn_missing",
  "handshake_failed",

  "goaway",
  "connection_reset",
  "connection_closed",
  "connection_timed_out",
  "connection_aborted",
  "socket_error",
  "subchannel_shutdown",

  "nxdomain",
  "no_data",
  "servfail",
  "dns_refused",
  "dns_timeout",
  "refused",
  "no_route",
  "connect_timeout",
  "plaintext_expected",
  "tls_expected",
  "not_http2",
  "settings_timeout",
  "flooded",
  "not_grpc",
  "stream_reset",
  "stream_refused",
  "message_too_large",
  "malformed_reply",
  "deadline",
  "status",
  "assertion",
  "latency",
  "descriptor",
  "credentials",
  "agent",
  "other",
] as const;

export type Reason = (typeof REASONS)[number];
