import type { Xray } from "../model/facts/xray.ts";
import type { FindingsReport } from "../model/finding.ts";
import type { Job } from "../model/job.ts";
import type { Settings } from "../model/settings.ts";
import { knownValue, type Snapshot, type TargetSnapshot } from "../model/snapshot.ts";
import type { Target } from "../model/target.ts";
import { planChannelz } from "./plan/channelz.ts";
import { planHealth } from "./plan/health.ts";
import { planKernel } from "./plan/kernel.ts";
import { planPreflight } from "./plan/preflight.ts";
import { planProbes } from "./plan/probes.ts";
import { planDns, planFiles, planMetrics } from "./plan/surroundings.ts";

/** What a plan for one target is made of. */
export interface Need {
  readonly now: number;
  readonly settings: Settings;
  readonly target: Target;
  readonly known: TargetSnapshot;
  /** Keys of what is pending on this target: each is worth one fresh look. */
  readonly pending: readonly string[];
  readonly hasActive: boolean;
}

/**
 * Every job that should run now, as data: pure, so that a reload, a drain, "preflight at once" and
 * "suspicious sockets first" are rows of one table of tests. `reconcile` does what it says.
 *
 * A target that waits for its port is only dialled; one that drains is watched through the kernel
 * alone, so that nothing of ours keeps its graceful stop. One fresh look tells whether what listens on
 * was a proxy's reload.
 */
export function plan(
  settings: Settings,
  snapshot: Snapshot,
  findings: FindingsReport,
): readonly Job[] {
  const needs = settings.targets.flatMap((target): readonly Need[] => {
    const known = snapshot.targets[target.name];
    if (known === undefined) return [];
    const isHere = (finding: { readonly target: string }) => finding.target === target.name;
    const pending = findings.pending
      .filter(isHere)
      .map(({ code, firstSeen }) => `${code}@${firstSeen}`);
    const hasActive = findings.active.some(isHere);
    return [{ now: snapshot.takenAt, settings, target, known, pending, hasActive }];
  });
  return [...planKernel(needs), ...needs.flatMap(planTarget)];
}

/** More of a name's addresses are not looked at in one look. */
const MOST_LOOKED_AT = 16;

/**
 * The plan of one look that ends: the addresses of a name are looked at one after the other at once, and
 * not each at the next turn.
 */
export const planOneLook: typeof plan = (settings, snapshot, findings) =>
  plan(settings, snapshot, findings).map((job) => {
    if (job.source !== "preflight" || job.lookAt?.isNext !== true) return job;
    const target = snapshot.targets[job.target];
    const isSeen = target === undefined || lookedAround(knownValue(target, "xray"));
    const next = { key: `next@${job.lookAt.last}`, withinMs: 0 };
    return { ...job, everyAddress: true, ...(isSeen ? {} : { urgency: job.urgency ?? next }) };
  });

/** Every address of the name was looked at, or as many as one look has time for. */
export function lookedAround(xray: Xray | undefined): boolean {
  const looked = xray?.looked?.length ?? 0;
  return looked >= Math.min(xray?.latest.addressCount ?? 0, MOST_LOOKED_AT);
}

function planTarget(need: Need): readonly Job[] {
  switch (need.known.state) {
    case "draining":
      return need.known.mayServe === true ? planPreflight(need) : [];
    case "waiting":
      return [...planPreflight(need), ...planDns(need), ...planFiles(need)];
    default:
      return [
        ...planPreflight(need),
        ...planDns(need),
        ...planHealth(need),
        ...planChannelz(need),
        ...planProbes(need),
        ...planMetrics(need),
        ...planFiles(need),
      ];
  }
}
