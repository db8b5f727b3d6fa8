import { isConfirmed, type Xray } from "../../model/facts/xray.ts";
import type { Job, Urgency } from "../../model/job.ts";
import { knownValue, type TargetSnapshot } from "../../model/snapshot.ts";
import type { Need } from "../plan.ts";
import { every } from "./cadence.ts";

const CADENCE_MS = 30_000;
/** While no address connects: the app's own port costs nothing, an upstream's network does. */
const UNREACHED_MS = { app: 5_000, upstream: 10_000 };
/** Longer than the greatest wait of a phase (5 s for SETTINGS, 3 s for each of four connects). */
const DEADLINE_MS = 20_000;

/** The X-ray: each 30 s, sooner where something is to be confirmed, was lost, or is pending. */
export function planPreflight(need: Need): readonly Job[] {
  const { target, known } = need;
  const xray = knownValue(known, "xray");
  const isUnreached = xray?.latest.phase === "dns" || xray?.latest.phase === "tcp";
  const interval = isUnreached ? UNREACHED_MS[target.role] : CADENCE_MS;
  const urgency = urgencyOf(need, xray);
  const alsoDial = podAddressToDial(need);
  return [
    {
      key: `preflight/${target.name}`,
      source: "preflight",
      label: "preflight",
      target: target.name,
      cadence: every(interval),
      deadlineMs: Math.min(DEADLINE_MS, interval),
      everyAddress: target.role === "upstream",
      ...(alsoDial === undefined ? {} : { alsoDial }),
      ...(urgency === undefined ? {} : { urgency }),
    },
  ];
}

/** One wish at a time, the most telling first. */
function urgencyOf(need: Need, xray: Xray | undefined): Urgency | undefined {
  const { known, pending, now } = need;
  const lostAt = connectionLostAt(known);
  if (lostAt !== undefined && (xray?.latest.at ?? 0) < lostAt) {
    return { key: `lost@${lostAt}`, withinMs: 1_000 };
  }
  if (xray !== undefined && !isConfirmed(xray) && now - xray.same.lastAt >= 1_000) {
    return { key: `confirm@${xray.same.since}#${xray.same.count}`, withinMs: 0 };
  }
  const newest = pending.at(-1);
  return newest === undefined ? undefined : { key: newest, withinMs: 1_000 };
}

/** When the kept connection was lost, if it is closed now and we did not close it. */
function connectionLostAt(known: TargetSnapshot): number | undefined {
  const kept = knownValue(known, "kept");
  return kept?.state === "closed" && kept.closedBy !== "us" ? kept.since : undefined;
}

/** The pod's own address, where nothing but loopback listens on the port: is it refused there? */
function podAddressToDial({ target, known }: Need): string | undefined {
  if (target.role !== "app") return undefined;
  const rows = knownValue(known, "listeners")?.rows ?? [];
  const isLoopbackOnly = rows.length > 0 && rows.every((row) => isLoopback(row.address));
  return isLoopbackOnly ? knownValue(known, "surroundings")?.podAddress : undefined;
}

function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}
