import type { SocketReading } from "../../model/facts/sockets.ts";
import type { Job } from "../../model/job.ts";
import { knownValue } from "../../model/snapshot.ts";
import type { Need } from "../plan.ts";
import { ASK_AGAIN_MS, every, isMissing } from "./cadence.ts";

/** A GetSocket costs us 180 µs and the app up to 100 µs: few, while no connection can be full. */
const FEW_SOCKETS = 20;
const MANY_SOCKETS = 100;
/** While a connection can be full, two polls must lie at least 5 s apart. */
const SUSPICIOUS_MS = 5_000;
/** Rare calls, one each 20 s, would meet every poll or none: polls come out of step with whole seconds. */
const OUT_OF_STEP = 0.97;
/** At or above it a server has no limit: Java sends 2^31 − 1, Go with TLS 2^32 − 1. */
const NO_LIMIT = 2 ** 31 - 1;

/** Server totals and the app's channels in each cycle; sockets only within the budget. */
export function planChannelz(need: Need): readonly Job[] {
  const { target, known } = need;
  if (target.channelz === undefined) return [];
  const canBeFull = isGateOpen(need);
  const interval = intervalOf(need, target.channelz.everyMs, canBeFull);
  const poll = knownValue(known, "sockets")?.polls.at(-1);
  return [
    {
      key: `channelz/${target.name}`,
      source: "channelz",
      label: "channelz",
      target: target.name,
      cadence: every(interval),
      deadlineMs: Math.min(10_000, interval),
      urgency: { key: `epoch ${known.epoch}`, withinMs: 1_000 },
      socketBudget: canBeFull ? MANY_SOCKETS : FEW_SOCKETS,
      suspects: canBeFull ? fullestFirst(poll?.read ?? []) : [],
      resumeAfter: poll?.lastInTurn ?? 0,
    },
  ];
}

function intervalOf({ known, now }: Need, everyMs: number, canBeFull: boolean): number {
  if (isMissing(known, now, { source: "channelz" })) return ASK_AGAIN_MS;
  const pace = Math.round(OUT_OF_STEP * everyMs);
  return canBeFull ? Math.min(pace, SUSPICIOUS_MS) : pace;
}

/** Only when at least as many calls are in flight as one connection may carry can one be full. */
function isGateOpen({ known }: Need): boolean {
  const limit = knownValue(known, "xray")?.lastSettings?.maxConcurrentStreams;
  const inFlight = knownValue(known, "serverCalls")?.polls.at(-1)?.inFlight;
  if (limit === undefined || limit >= NO_LIMIT || inFlight === undefined) return false;
  return inFlight >= 0.9 * limit;
}

function fullestFirst(read: readonly SocketReading[]): readonly number[] {
  const byOpen = read.toSorted((a, b) => b.open - a.open);
  return byOpen.slice(0, MANY_SOCKETS / 2).map((socket) => socket.id);
}
