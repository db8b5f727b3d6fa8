import type { Cadence } from "../../model/job.ts";
import type { TargetSnapshot } from "../../model/snapshot.ts";
import type { SourceName } from "../../model/source-name.ts";
import type { Instant } from "../../model/time.ts";

/** An interval in ms. */
export function every(ms: number): Extract<Cadence, { readonly kind: "every" }> {
  return { kind: "every", ms };
}

/** A capability that was missing is asked for again after this, or on a new epoch. */
export const ASK_AGAIN_MS = 3_600_000;

/** True while a source (or a part of it) is known not to see here, and it is too early to ask again. */
export function isMissing(
  known: TargetSnapshot,
  now: Instant,
  what: { readonly source: SourceName; readonly part?: string },
): boolean {
  return known.capabilities.some(
    (capability) =>
      capability.source === what.source &&
      capability.part === what.part &&
      !capability.available &&
      now - capability.since < ASK_AGAIN_MS,
  );
}
