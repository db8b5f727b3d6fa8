import { own } from "../model/own.ts";
import type { Settings } from "../model/settings.ts";
import { knownValue, type Snapshot, type TargetSnapshot } from "../model/snapshot.ts";
import type { ServingStatus } from "../model/status.ts";
import type { Instant } from "../model/time.ts";

/** What the bridge says of a service: its status, or why there is none to pass on. */
export type TargetHealth =
  | { readonly kind: "status"; readonly status: ServingStatus }
  | { readonly kind: "stale" }
  | { readonly kind: "not-configured" };

/** Two polls of the health source: what nobody confirmed for so long is not passed on. */
const FRESH_MS = 20_000;

/**
 * The health of a configured service as the agent knows it, for a readiness probe over HTTP. While a
 * Watch is open its silence means no change, so an answer on its connection confirms the status.
 */
export function targetHealth(
  world: { readonly snapshot: Snapshot; readonly settings: Settings; readonly now: Instant },
  target: string,
  service: string,
): TargetHealth {
  const configured = world.settings.targets.find(({ name }) => name === target);
  const isConfigured = service === "" || configured?.health.services.includes(service);
  if (configured === undefined || isConfigured !== true) return { kind: "not-configured" };

  const watched = world.snapshot.targets[target];
  const known = watched && statusOf(watched, service);
  if (watched === undefined || known === undefined) return { kind: "stale" };
  const isFresh = world.now - confirmedAt(watched) <= FRESH_MS;
  return isFresh ? { kind: "status", status: known } : { kind: "stale" };
}

function statusOf(watched: TargetSnapshot, service: string) {
  return own(knownValue(watched, "health")?.services ?? {}, service)?.status;
}

/** When the health fact was last heard, or the connection that carries its Watch last answered. */
function confirmedAt(watched: TargetSnapshot): Instant {
  const { health } = watched.facts;
  const heardAt = health?.state === "known" ? health.at : 0;
  const kept = knownValue(watched, "kept");
  return kept?.state === "open" ? Math.max(heardAt, kept.lastReplyAt ?? 0) : heardAt;
}
