import type { Instant } from "../time.ts";
import { type XrayReport, xraySignature } from "../xray.ts";

/** The newest X-ray, and for how long it has shown the same. */
export interface Xray {
  readonly latest: XrayReport;
  /** The unbroken run of reports with the latest one's signature. */
  readonly same: { readonly since: Instant; readonly lastAt: Instant; readonly count: number };
  /** The newest failure before the latest report, with its signature. */
  readonly failedBefore?: { readonly signature: string; readonly at: Instant };
  readonly lastPassedAt?: Instant;
  /** Addresses of the name that were looked at in this epoch, or would not take us; the newest 64. */
  readonly looked?: readonly string[];
  /** The newest chain that led to the clients' bundle: its leaf, and how many were sent; across epochs. */
  readonly verified?: { readonly fingerprint: string; readonly sent: number };
  /** HTTP/2 SETTINGS were received in this epoch. */
  readonly everHttp2: boolean;
  /** The newest report that got SETTINGS in this epoch, for its limits. */
  readonly lastSettings?: XrayReport["settings"];
  /** SETTINGS_MAX_CONCURRENT_STREAMS of the newest two reports that had SETTINGS; absent = not sent. */
  readonly lastLimits: readonly (number | null)[];
}

/** Two looks that lie closer are one. */
const APART_MS = 1000;
/** A failure that comes back later is another one. */
const SAME_FAILURE_MS = 300_000;

/**
 * True when the latest result was seen twice, at least a second apart, on fresh connections: in a row, or,
 * as a balancer shows one bad server of several, with other results in between.
 */
export function isConfirmedXray(xray: Xray): boolean {
  const { same, latest, failedBefore } = xray;
  if (same.count >= 2 && same.lastAt - same.since >= APART_MS) return true;
  if (latest.outcome !== "failed" || failedBefore === undefined) return false;
  const apartMs = latest.at - failedBefore.at;
  const isNear = apartMs >= APART_MS && apartMs <= SAME_FAILURE_MS;
  return isNear && failedBefore.signature === xraySignature(latest);
}

/**
 * True when a second look would tell nothing new: it was confirmed, or is well. A certificate may be
 * about to expire though the handshake passed, so TLS is looked at twice.
 */
export function isSettled(xray: Xray): boolean {
  return (
    isConfirmedXray(xray) || (xray.latest.outcome === "passed" && xray.latest.tls === undefined)
  );
}

/**
 * What a confirmed X-ray convicts of. Health needs no second look; sickness that was seen only once
 * is not judged.
 */
export function onceConfirmed<T>(xray: Xray, found: readonly T[]): readonly T[] | undefined {
  return found.length === 0 || isConfirmedXray(xray) ? found : undefined;
}
