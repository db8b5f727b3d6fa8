import type { Kept, Reply } from "./facts/kept.ts";
import { type AcceptRead, isStandstill } from "./facts/listeners.ts";
import type { Xray } from "./facts/xray.ts";
import type { Evidence } from "./finding.ts";
import { present } from "./present.ts";
import type { Instant } from "./time.ts";

/** Calls, or fresh connections, in a row that the app left without an answer. */
export interface Silence {
  readonly tries: number;
  readonly seenBy: "connection" | "preflight";
  /** When the first of them began. */
  readonly since: Instant;
  /** It has never accepted a connection, or answered a call, in this life: it may be loading still. */
  readonly isStarting?: boolean;
}

/**
 * A fresh connection was answered meanwhile: it is the kept one that is dead, and not the app. An answer
 * that came as late acquits only who never was in time: its health may be slow by nature.
 */
export function wasAnswered(
  xray: Xray | undefined,
  { since, isStarting = false }: Silence,
  timeoutMs: number,
): boolean {
  const isPassed = xray?.lastPassedAt !== undefined && xray.lastPassedAt > since;
  return isPassed && (isStarting || !wasLate(xray, timeoutMs));
}

/** The newest X-ray waited longer for its answer than a call on the kept connection does. */
export function wasLate({ latest }: Xray, timeoutMs: number): boolean {
  return latest.outcome === "passed" && (latest.phaseMs.rpc ?? 0) > timeoutMs;
}

/** Calls first, where there are as many. */
export function longest(silences: readonly Silence[]): Silence | undefined {
  return silences.toSorted((a, b) => b.tries - a.tries)[0];
}

export function silentCalls(kept: Kept | undefined, timeout: number): readonly Silence[] {
  if (kept === undefined) return [];
  const { replies, silentInRow, lastReplyAt } = kept;
  const isAnswered = ({ outcome, ms }: Reply) => outcome === "replied" && ms <= timeout;
  const first = replies.findLastIndex(isAnswered) + 1;
  const begun = replies[first];
  return [
    {
      // The ring of replies is bounded; the count in the fact is not.
      tries: Math.max(replies.length - first, silentInRow),
      seenBy: "connection",
      isStarting: lastReplyAt === undefined,
      since: begun === undefined ? (lastReplyAt ?? 0) : begun.at - begun.ms,
    },
  ];
}

/**
 * Fresh connections without SETTINGS from a server that spoke HTTP/2, and has not replied since; or
 * from one that has not even accepted them: whatever it speaks, it does not run.
 */
export function muteConnections(
  kept: Kept | undefined,
  { latest, same, everHttp2 }: Xray,
  reads: readonly AcceptRead[],
): readonly Silence[] {
  if (latest.silence !== "mute") return [];
  const lastReplyAt = kept?.lastReplyAt;
  if (lastReplyAt !== undefined && lastReplyAt >= same.since) return [];
  if (!everHttp2 && !isStandstill(reads)) return [];
  const last = reads.at(-1);
  const isStarting = !everHttp2 && last?.established === last?.unaccepted;
  return [{ tries: same.count, seenBy: "preflight", since: same.since, isStarting }];
}

/** What lies unread in two reads: empty = nothing, undefined = the kernel does not tell. */
export function unreadBytes(reads: readonly AcceptRead[]): Evidence | undefined {
  const [before, last] = reads.slice(-2);
  if (before === undefined || last === undefined) return undefined;
  const queuedBytes = last.keptReceiveQueueBytes;
  const unaccepted = waitingIn(last);
  if (queuedBytes === undefined && unaccepted === undefined) return undefined;
  return present({
    queuedBytes: hasNotShrunk(before.keptReceiveQueueBytes, queuedBytes) ? queuedBytes : undefined,
    unaccepted: hasNotShrunk(waitingIn(before), unaccepted) ? unaccepted : undefined,
  });
}

/** Connections that nobody has accepted; our own stand in the queue only. */
function waitingIn({ unaccepted, queued }: AcceptRead): number | undefined {
  return unaccepted === undefined ? undefined : Math.max(unaccepted, queued);
}

function hasNotShrunk(before: number | undefined, last: number | undefined): boolean {
  return before !== undefined && last !== undefined && last > 0 && last >= before;
}
