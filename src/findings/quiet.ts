import type { Ignore, Settings } from "../model/settings.ts";
import type { TargetSnapshot } from "../model/snapshot.ts";
import type { Instant } from "../model/time.ts";
import type { Case } from "./case.ts";

/** A target that goes down on purpose, or has just been asked to: nothing new is found on it. */
export function isQuiet(target: TargetSnapshot | undefined, now: Instant): boolean {
  if (target === undefined) return false;
  return target.state === "draining" || (target.quietUntil ?? now) > now;
}

/** The entry of the configuration that hushes this finding now. It stays visible as suppressed. */
export function ignoreOf(entry: Case, settings: Settings, now: Instant): Ignore | undefined {
  if (entry.isDrill) return undefined;
  return settings.ignore.find(
    ({ code, target = entry.target, until = Number.POSITIVE_INFINITY }) =>
      code === entry.detector.code && target === entry.target && now < until,
  );
}
