import { silentSince } from "../../model/facts/kept.ts";
import { isConfirmedRun } from "../../model/facts/reach.ts";
import { isSettled, type Xray } from "../../model/facts/xray.ts";
import type { Job, Urgency } from "../../model/job.ts";
import { own } from "../../model/own.ts";
import { present } from "../../model/present.ts";
import { knownValue } from "../../model/snapshot.ts";
import { isLoopback } from "../../model/target.ts";
import type { Instant } from "../../model/time.ts";
import { type DialAttempt, type LookAt, provenProtocol } from "../../model/xray.ts";
import type { Need } from "../plan.ts";
import { every } from "./cadence.ts";

const CADENCE_MS = 30_000;
/** While no address connects: the app's own port costs nothing, an upstream's network does. */
const UNREACHED_MS = { app: 5_000, upstream: 10_000 };
/** The default of `connection-refused`'s limit `restart`. */
const RESTART_MS = 5_000;
/** A finding that is seen no more is resolved after a minute, at the soonest. */
const RETURN_MS = 60_000;
/** More than the second that confirms: the dials of one look are some ms apart. */
const CONFIRM_AFTER_MS = 1_100;
const CONFIRM_EVERY_MS = 10_000;
/** Longer than the greatest wait of a phase (5 s for SETTINGS, 3 s for each of four connects). */
const DEADLINE_MS = 20_000;

/** One call without a reply may have been lost. */
const LEAST_SILENT = 2;

/** The X-ray: each 30 s, sooner where something is to be confirmed, was lost, or is pending. */
export function planPreflight(need: Need): readonly Job[] {
  const { target, known } = need;
  const xray = knownValue(known, "xray");
  const isMissing = isUnreached(xray) || isRestarting(need, xray);
  const interval = isMissing ? UNREACHED_MS[target.role] : CADENCE_MS;
  const urgency = urgencyOf(need, xray);
  const alsoDial = podAddressToDial(need);
  const lastSpoke = xray && provenProtocol(xray.latest);
  const lookAt = addressToLookAt(need, xray);
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
      ...present({ lastSpoke, lookAt }),
      ...(urgency === undefined ? {} : { urgency }),
    },
  ];
}

/** No address took us; one that resets what it has taken did. */
function isUnreached(xray: Xray | undefined): boolean {
  const { phase, silence } = xray?.latest ?? {};
  return (phase === "dns" || phase === "tcp") && silence !== "closed";
}

/**
 * The address at which something was found went away lately, and another stands in for it. If it comes
 * back as sick as before, that must be seen before the finding counts as healed.
 */
function isRestarting({ hasActive, known, now }: Need, xray: Xray | undefined): boolean {
  const missed = xray?.latest.insteadOf;
  if (!hasActive || missed === undefined) return false;
  const run = own(knownValue(known, "reach")?.runs ?? {}, missed);
  return run !== undefined && now - run.since < RETURN_MS;
}

/** One wish at a time, the most telling first. */
function urgencyOf(need: Need, xray: Xray | undefined): Urgency | undefined {
  const wishes = [
    toDialPod(need, xray),
    afterLoss(need, xray),
    afterSilence(need, xray),
    toConfirm(need, xray),
    stillRefused(need),
    first(need, xray),
  ];
  const newest = need.pending.at(-1);
  return (
    wishes.find((wish) => wish !== undefined) ??
    (newest === undefined ? undefined : { key: newest, withinMs: 1_000 })
  );
}

/** The kept connection was lost (not by us), and nobody has looked since. */
function afterLoss({ known }: Need, xray: Xray | undefined): Urgency | undefined {
  const kept = knownValue(known, "kept");
  if (kept?.state !== "closed" || kept.closedBy === "us") return undefined;
  const hasLooked = xray !== undefined && xray.latest.at >= kept.since;
  return hasLooked ? undefined : { key: `lost@${kept.since}`, withinMs: 1_000 };
}

/** Whether it is the app or our connection that is silent, a fresh one tells. */
function afterSilence({ known }: Need, xray: Xray | undefined): Urgency | undefined {
  const kept = knownValue(known, "kept");
  const since = kept === undefined ? undefined : silentSince(kept);
  if (kept === undefined || since === undefined || kept.silentInRow < LEAST_SILENT)
    return undefined;
  const hasLooked = xray !== undefined && xray.latest.at > since;
  return hasLooked ? undefined : { key: `silent@${since}`, withinMs: 1_000 };
}

/**
 * A deterministic result speaks when it was seen twice, a second apart. What is well needs no second
 * look, and backends that differ from each other get one in ten seconds, not one a second: one for what
 * passed and one for what failed, so that a good certificate takes none from the bad one beside it.
 */
function toConfirm({ now }: Need, xray: Xray | undefined): Urgency | undefined {
  if (xray === undefined || !isOldEnough(now, xray)) return undefined;
  if (isSettled(xray)) return stillMute(xray);
  const slot = Math.floor(xray.same.since / CONFIRM_EVERY_MS);
  const isFailed = xray.latest.outcome === "failed";
  return { key: `confirm@${slot}${isFailed ? " failed" : ""}`, withinMs: 0 };
}

/** The last look lies so far back that another one confirms it. */
export function isOldEnough(now: Instant, { same }: Xray): boolean {
  return now - same.lastAt >= CONFIRM_AFTER_MS;
}

/** Silence takes a third connection to convict a server that does not run (`tries` of `app-frozen`). */
function stillMute({ latest, same }: Xray): Urgency | undefined {
  const isDue = latest.silence === "mute" && same.count === 2;
  return isDue ? { key: `mute@${same.since}`, withinMs: 0 } : undefined;
}

/** A listener that went away is judged by whether it still refuses `restart` later. */
function stillRefused({ known, now }: Need): Urgency | undefined {
  const failing = knownValue(known, "reach")?.failing;
  if (failing === undefined || now - failing.since < RESTART_MS) return undefined;
  const isLate = failing.lastAt - failing.since >= RESTART_MS;
  return isLate ? undefined : { key: `restart@${failing.since}`, withinMs: 0 };
}

/** Nothing but loopback listens: whether the pod's address is refused is asked at once, and again. */
function toDialPod(need: Need, xray: Xray | undefined): Urgency | undefined {
  if (xray === undefined || podAddressToDial(need) === undefined) return undefined;
  const pod = knownValue(need.known, "reach")?.pod;
  if (pod === undefined) return { key: `pod@${need.known.epoch}`, withinMs: 0 };
  const isDue = pod.count === 1 && need.now - pod.lastAt >= CONFIRM_AFTER_MS;
  return isDue ? { key: `pod@${need.known.epoch} again`, withinMs: 0 } : undefined;
}

/** Our own pod's app costs nobody anything: its first verdict waits for no place in the interval. */
function first({ target }: Need, xray: Xray | undefined): Urgency | undefined {
  const isFirst = xray === undefined && target.role === "app";
  return isFirst ? { key: "first", withinMs: 0 } : undefined;
}

/**
 * Each replica of a name has a certificate, and a life, of its own: what is well is followed by the next
 * address. One that is not well, or not looked at twice yet, is looked at again with those beside it, so
 * that what was found stays seen. Where it takes nobody for a while, as one that restarts, another
 * stands in, and the next look goes back to it.
 */
function addressToLookAt(need: Need, xray: Xray | undefined): LookAt | undefined {
  if (xray?.latest.addressCount === undefined) return undefined;
  const { dials, insteadOf } = xray.latest;
  const used = dials.findLast(({ outcome }) => outcome === "connected")?.address;
  const isNext = isWell(need, xray) && need.pending.length === 0 && !need.hasActive;
  const last = isNext ? used : (insteadOf ?? used);
  if (last === undefined) return undefined;
  return { last, isNext, dialled: dials.map(({ address }) => address) };
}

function isWell(need: Need, xray: Xray): boolean {
  const { outcome, dials } = xray.latest;
  return outcome !== "failed" && isSettled(xray) && !isUnsure(need, dials);
}

/** An address failed, and not twice yet. */
function isUnsure({ known }: Need, dials: readonly DialAttempt[]): boolean {
  const runs = knownValue(known, "reach")?.runs ?? {};
  return dials.some(({ outcome, address }) => {
    const run = own(runs, address);
    return outcome !== "connected" && (run === undefined || !isConfirmedRun(run));
  });
}

/** The pod's own address, where nothing but loopback listens on the port: is it refused there? */
function podAddressToDial({ target, known }: Need): string | undefined {
  if (target.role !== "app") return undefined;
  const rows = knownValue(known, "listeners")?.rows ?? [];
  const isLoopbackOnly = rows.length > 0 && rows.every((row) => isLoopback(row.address));
  return isLoopbackOnly ? knownValue(known, "surroundings")?.podAddress : undefined;
}
