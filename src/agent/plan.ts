import { isSettled, type Xray } from "../model/facts/xray.ts";
import type { FindingsReport } from "../model/finding.ts";
import type { Job, Urgency } from "../model/job.ts";
import { own } from "../model/own.ts";
import type { Settings } from "../model/settings.ts";
import { knownValue, type Snapshot, type TargetSnapshot } from "../model/snapshot.ts";
import type { Target } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import type { DialAttempt, LookAt } from "../model/xray.ts";
import { planChannelz } from "./plan/channelz.ts";
import { planHealth } from "./plan/health.ts";
import { planKernel } from "./plan/kernel.ts";
import { isOldEnough, planPreflight } from "./plan/preflight.ts";
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
 * not each at the next turn; and each result is confirmed, since each replica may have a certificate of
 * its own and there is no later.
 */
export const planOneLook: typeof plan = (settings, snapshot, findings) =>
  plan(settings, snapshot, findings).map((job) => {
    const target = job.source === "preflight" ? snapshot.targets[job.target] : undefined;
    const xray = target && knownValue(target, "xray");
    if (job.source !== "preflight" || job.lookAt === undefined || xray === undefined) return job;
    const again = target && lookAgain(snapshot.takenAt, target, xray);
    const urgency = again ?? job.urgency ?? nextLook(job.lookAt, xray);
    return { ...job, everyAddress: true, ...(urgency === undefined ? {} : { urgency }) };
  });

function lookAgain(now: Instant, target: TargetSnapshot, xray: Xray): Urgency | undefined {
  if ((isSettled(xray) && !hasUnsureDial(target)) || !isOldEnough(now, xray)) return undefined;
  return { key: `again@${xray.same.lastAt}`, withinMs: 0 };
}

/** An address that did not take us was not dialled as often as it takes to tell (see the codes of tcp). */
export function hasUnsureDial(target: TargetSnapshot): boolean {
  const { dials = [], addressCount } = knownValue(target, "xray")?.latest ?? {};
  const runs = knownValue(target, "reach")?.runs ?? {};
  const isUnsure = ({ address, outcome }: DialAttempt) =>
    outcome !== "connected" && (own(runs, address)?.count ?? 0) < (outcome === "timeout" ? 3 : 2);
  return addressCount !== undefined && dials.some(isUnsure);
}

function nextLook({ last, isNext }: LookAt, xray: Xray): Urgency | undefined {
  return isNext && !lookedAround(xray) ? { key: `next@${last}`, withinMs: 0 } : undefined;
}

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
