import type { Instant } from "../model/time.ts";
import type { TlsFacts } from "../model/xray.ts";

/**
 * Why a client of this server would refuse its certificate; `undefined` where it would not, as far as
 * was stated: without an authority no name is judged, without a bundle no issuer. The first is told,
 * the facts tell the rest.
 */
export function verificationReason(
  { chain, path, pathFailsByDate, coversAuthority }: TlsFacts,
  now: Instant,
):
  | "certificate_expired"
  | "certificate_not_yet_valid"
  | "untrusted_issuer"
  | "hostname_mismatch"
  | undefined {
  // A sent intermediate may be out of date beside a good path; the leaf may not.
  const judged = pathFailsByDate === true ? chain : chain.slice(0, 1);
  if (judged.some((certificate) => now > certificate.notAfter)) return "certificate_expired";
  if (judged.some((certificate) => now < certificate.notBefore)) return "certificate_not_yet_valid";
  if (path !== undefined && path !== "ok") return "untrusted_issuer";
  return coversAuthority === false ? "hostname_mismatch" : undefined;
}
