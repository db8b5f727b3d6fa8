import type { CertificateFacts } from "./xray.ts";

/** Time left below which a certificate is about to fail: the lower of a length and a share of its life. */
export interface LifeBounds {
  readonly beforeMs: number;
  readonly ratio: number;
}

/** When a certificate that was not renewed wakes somebody: two days, or a twentieth of its life. */
export const LAST_MOMENT: LifeBounds = { beforeMs: 48 * 3_600_000, ratio: 0.05 };

/** How much may be left of this certificate by these bounds. */
export function leastLeftMs(
  { notBefore, notAfter }: Pick<CertificateFacts, "notBefore" | "notAfter">,
  { beforeMs, ratio }: LifeBounds,
): number {
  return Math.min(beforeMs, ratio * (notAfter - notBefore));
}
