import type { Health, ServiceHealth } from "./facts/health.ts";
import type { Instant } from "./time.ts";

/** A server that has never been there is not spoken of before. */
const WAITING_MS = 60_000;

interface Waited {
  readonly waitedMs: number;
  /** Of the target; 0 = no time to start is granted. */
  readonly startupMs: number;
}

/**
 * How a server is spoken of that may be loading still: not at all in its first minute, as an information
 * until its `startup` is over; `undefined` = there is no patience left, or none was granted.
 */
export function patienceFor({ waitedMs, startupMs }: Waited): "silent" | "info" | undefined {
  if (startupMs === 0 || waitedMs > startupMs) return undefined;
  return waitedMs <= WAITING_MS ? "silent" : "info";
}

/**
 * True for something else than the app's own port that has never been there: an environment starts as a
 * whole, so that in its first minute an upstream or a name that is not there yet is no more than an
 * information.
 */
export function mayComeYet({ waitedMs, startupMs }: Waited): boolean {
  return startupMs > 0 && waitedMs <= WAITING_MS;
}

/**
 * True while the server declares itself that it has not come up yet: NOT_SERVING, and nothing of it has
 * ever served, for less than `startup`.
 */
export function declaresStart(
  health: Health | undefined,
  { startupMs, now }: { readonly startupMs: number; readonly now: Instant },
): boolean {
  const services = Object.values(health?.services ?? {});
  const hasServed = services.some(({ everServing }) => everServing);
  const isNotServing = ({ status, sinceAt }: ServiceHealth) =>
    status === "NOT_SERVING" && now - sinceAt < startupMs;
  return !hasServed && services.some(isNotServing);
}
