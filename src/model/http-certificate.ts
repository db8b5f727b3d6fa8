import type { XrayReport } from "./xray.ts";

/** nginx's own for a certificate that fails, and for none, where it is told to send them. */
const OWN: ReadonlySet<number> = new Set([495, 496]);

/** A demand for a certificate that we were not given. */
export function wantsCertificate({ tls }: XrayReport): boolean {
  return tls?.clientCertificateAsked === true && tls.clientCertificateSent !== true;
}

/**
 * Whether a proxy that asked for a certificate says in HTTP that it fails, or that there is none: the
 * handshake is let pass, and each request is answered with 400 and a page that says why.
 *
 * Source: nginx src/http/ngx_http_special_response.c (495, 496); measured on 1.22.
 */
export function isCertificateRefusal({ tls, rpc }: XrayReport): boolean {
  if (tls?.clientCertificateAsked !== true || rpc?.httpStatus === undefined) return false;
  const { httpStatus, bodyStart = "" } = rpc;
  return OWN.has(httpStatus) || (httpStatus === 400 && bodyStart.includes("SSL certificate"));
}
