import type { FindingsReport } from "../model/finding.ts";
import type { Job } from "../model/job.ts";
import type { Settings } from "../model/settings.ts";
import type { Snapshot, TargetSnapshot } from "../model/snapshot.ts";
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
 * alone, so that nothing of ours keeps its graceful stop.
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

function planTarget(need: Need): readonly Job[] {
  switch (need.known.state) {
    case "draining":
      return [];
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
