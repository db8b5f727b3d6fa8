/** Alert numbers by the last words of OpenSSL's reason. Source: RFC 8446 section 6, RFC 5246 section 7.2. */
const ALERTS: Readonly<Record<string, number>> = {
  UNEXPECTED_MESSAGE: 10,
  BAD_RECORD_MAC: 20,
  RECORD_OVERFLOW: 22,
  DECOMPRESSION_FAILURE: 30,
  HANDSHAKE_FAILURE: 40,
  NO_CERTIFICATE: 41,
  BAD_CERTIFICATE: 42,
  UNSUPPORTED_CERTIFICATE: 43,
  CERTIFICATE_REVOKED: 44,
  CERTIFICATE_EXPIRED: 45,
  CERTIFICATE_UNKNOWN: 46,
  ILLEGAL_PARAMETER: 47,
  UNKNOWN_CA: 48,
  ACCESS_DENIED: 49,
  DECODE_ERROR: 50,
  DECRYPT_ERROR: 51,
  PROTOCOL_VERSION: 70,
  INSUFFICIENT_SECURITY: 71,
  INTERNAL_ERROR: 80,
  INAPPROPRIATE_FALLBACK: 86,
  USER_CANCELLED: 90,
  MISSING_EXTENSION: 109,
  UNSUPPORTED_EXTENSION: 110,
  UNRECOGNIZED_NAME: 112,
  BAD_CERTIFICATE_STATUS_RESPONSE: 113,
  UNKNOWN_PSK_IDENTITY: 115,
  CERTIFICATE_REQUIRED: 116,
  NO_APPLICATION_PROTOCOL: 120,
};

/** OpenSSL writes `SSLV3_ALERT_…`, `TLSV1_ALERT_…`, since 3.2 `SSL/TLS_ALERT_…`; a few lack the word. */
const CODE = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13|SSL\/TLS)_(?:ALERT_)?([A-Z_]+)$/;

/** The alert that the peer sent, from the code of Node's error; `undefined` where it sent none. */
export function alertOf(code: string | undefined): number | undefined {
  const words = CODE.exec(code ?? "")?.[1];
  return words === undefined ? undefined : ALERTS[words];
}

const NO_APPLICATION_PROTOCOL = 120;
const PROTOCOL_VERSION = 70;
const HANDSHAKE_FAILURE = 40;
const CERTIFICATE_REQUIRED = 116;
/** bad, unsupported, revoked, expired, unknown certificate, unknown CA, access denied. */
const ABOUT_CERTIFICATES: ReadonlySet<number> = new Set([42, 43, 44, 45, 46, 48, 49]);

/** What the server knew of us when it sent the alert. */
export interface ClientCertificateUse {
  readonly asked: boolean;
  readonly sent: boolean;
}

/**
 * The reason that an alert tells. One about certificates is about ours: the server has no other to
 * judge. Alert 40 is, once it has asked for one; before that no version or cipher was common.
 */
export function reasonOfAlert(
  alert: number,
  use: ClientCertificateUse,
):
  | "alpn_missing"
  | "protocol_version"
  | "client_certificate_required"
  | "client_certificate_rejected"
  | "handshake_failed" {
  if (alert === NO_APPLICATION_PROTOCOL) return "alpn_missing";
  if (alert === PROTOCOL_VERSION) return "protocol_version";
  const isOurs =
    alert === CERTIFICATE_REQUIRED ||
    ABOUT_CERTIFICATES.has(alert) ||
    (alert === HANDSHAKE_FAILURE && use.asked);
  if (!isOurs) return "handshake_failed";
  return use.sent ? "client_certificate_rejected" : "client_certificate_required";
}
