import type { AgentEvent } from "../model/event.ts";
import type { Crashes } from "../model/facts/crashes.ts";
import type { Settings } from "../model/settings.ts";
import { knownValue, type Snapshot } from "../model/snapshot.ts";
import { AGENT_TARGET } from "../model/target.ts";

/** Where no budget is configured: that of the code's own declaration (`detector-crashed`). */
const DEFAULT_BUDGET_MS = 250;

/** How long one detector took on one target, and whether it threw. */
export interface TimedRun {
  readonly code: string;
  readonly durationMs: number;
  readonly crash?: AgentEvent;
}

/**
 * One event per detector that was over its budget in this evaluation, all targets together. One
 * whose last runs were slow or broken is told of whatever it took, so that it can recover.
 */
export function slowEvents(
  { snapshot, settings }: { readonly snapshot: Snapshot; readonly settings: Settings },
  runs: readonly TimedRun[],
): readonly AgentEvent[] {
  const limits = settings.findings[AGENT_TARGET]?.["detector-crashed"]?.limits;
  const budgetMs = limits?.["budget"] ?? DEFAULT_BUDGET_MS;
  const agent = snapshot.targets[AGENT_TARGET];
  const records = agent === undefined ? undefined : knownValue(agent, "crashes")?.detectors;
  return [...totals(runs)]
    .filter(([code, ms]) => ms > budgetMs || isWatched(records?.[code], budgetMs))
    .map(([detector, durationMs]) => ({
      kind: "detector-ran",
      at: snapshot.takenAt,
      detector,
      durationMs,
    }));
}

/** By code, over all targets; without the codes that threw, which are told of as such. */
function totals(runs: readonly TimedRun[]): ReadonlyMap<string, number> {
  const broken = new Set(runs.filter((run) => run.crash !== undefined).map((run) => run.code));
  const sums = new Map<string, number>();
  for (const { code, durationMs } of runs)
    if (!broken.has(code)) sums.set(code, (sums.get(code) ?? 0) + durationMs);
  return sums;
}

function isWatched(record: Crashes["detectors"][string] | undefined, budgetMs: number): boolean {
  if (record === undefined) return false;
  return record.isBroken || record.lastDurationsMs.some((ms) => ms > budgetMs);
}
