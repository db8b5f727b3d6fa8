import type { Baseline } from "../model/baseline.ts";
import type { Kept, Reply } from "../model/facts/kept.ts";
import { type AcceptRead, isStandstill } from "../model/facts/listeners.ts";
import type { Xray } from "../model/facts/xray.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import { isBehindMesh } from "../model/handshake.ts";
import { present } from "../model/present.ts";
import { patienceFor } from "../model/startup.ts";
import type { Instant } from "../model/time.ts";
import { connectBlackholed } from "./connect-blackholed.ts";
import { connectionRefused } from "./connection-refused.ts";
import { defineDetector } from "./detector.ts";
import { dnsFailing } from "./dns-failing.ts";

/** A connect is answered by the kernel, not by the app: this fast, and the network is well. */
const FAST_CONNECT_MS = 5;
/** Fewer calls have no median worth the name. */
const LEAST_CALLS = 6;
/** A median above so many baselines is no longer usual. */
const TIMES_USUAL = 10;
const WINDOW_MS = 60_000;

/**
 * The process is there and does not answer: it is stopped, or something blocks its event loop.
 *
 * The kernel goes on for it: connections are completed and bytes acknowledged, so clients see neither
 * refusal nor reset and wait for their deadlines. Bytes that lie unread in the app's own socket are
 * the proof that it is the app, not the network.
 *
 * Source: Linux Documentation/networking/proc_net_tcp.rst (rx_queue), RFC 9113 section 6.5.3.
 */
export const appFrozen = defineDetector({
  code: "app-frozen",
  title: "The app does not answer although its port is open",
  layer: "tcp",
  severity: "critical",
  remedy:
    "Find what blocks: take a thread dump or CPU profile, and raise the CPU limit if it is throttled. grpc-js: synchronous work on the event loop; Java: `directExecutor()` with blocking code; Python: the interpreter lock.",
  needs: ["expectation"],
  uses: ["kept", "listeners", "xray", "surroundings"],
  needsAny: ["kept", "xray"],
  causes: [dnsFailing, connectionRefused, connectBlackholed],
  lacks:
    "a call on the kept connection (several, where it is slow), or a new connection that is left without an answer, and no mesh in between",
  holdMs: 0,
  clearAfterMs: 60_000,
  isTiming: true,
  limits: {
    tries: { unit: "count", default: 3, min: 2, max: 30, says: "calls in a row without reply" },
    timeout: {
      unit: "ms",
      default: 2000,
      min: 100,
      max: 2000,
      says: "a call that takes longer counts as unanswered; the agent itself waits 2 s",
    },
    slow: {
      unit: "ms",
      default: 500,
      min: 10,
      max: 2000,
      says: "median of the replies that is slow, if it is unusual too",
    },
    slowAbsolute: {
      unit: "ms",
      default: 1000,
      min: 10,
      max: 2000,
      says: "median of the replies that is slow whatever is usual",
    },
  },
  learns: {
    /** Six calls a minute are made; a sample is taken as often. */
    reply: ({ kept }) => {
      const replies = kept === undefined ? [] : newestReplies(kept);
      return replies.length === 0
        ? undefined
        : { value: medianOf(replies), weight: replies.length / LEAST_CALLS };
    },
  },

  detect({ now, stamp, kept, expectation, listeners, xray, surroundings, usual }, limits) {
    if (isBehindMesh({ expectation, surroundings })) return undefined;
    const reads = listeners?.reads ?? [];
    const silence = longest([
      ...silentCalls(kept, limits.timeout).filter(({ since }) => !wasAnswered(xray, since)),
      ...(xray === undefined ? [] : muteConnections(kept, xray, reads)),
    ]);
    if (silence !== undefined && silence.tries >= limits.tries)
      return stopped(silence, kept?.lastReplyAt, {
        reads,
        xray,
        timeout: limits.timeout,
        now,
        stamp,
        startupMs: expectation.startupMs,
      });
    if (kept === undefined || isSilentSoFar(kept)) return undefined;
    return blockedLoop(kept, connectMsOf(kept, xray), { ...limits, usual: usual.reply });
  },
});

const UNREAD = ", and what was sent to it lies unread";

/** Calls, or fresh connections, in a row that the app left without an answer. */
interface Silence {
  readonly tries: number;
  readonly seenBy: "connection" | "preflight";
  /** When the first of them began. */
  readonly since: Instant;
  /** It has never accepted a connection, or answered a call, in this life: it may be loading still. */
  readonly isStarting?: boolean;
}

/** It was asked, and has never answered: too seldom to be told yet. */
function isSilentSoFar({ replies, lastReplyAt }: Kept): boolean {
  return replies.length > 0 && lastReplyAt === undefined;
}

/** A fresh connection was answered meanwhile: it is the kept one that is dead, and not the app. */
function wasAnswered(xray: Xray | undefined, since: Instant): boolean {
  return xray?.lastPassedAt !== undefined && xray.lastPassedAt > since;
}

/** Calls first, where there are as many. */
function longest(silences: readonly Silence[]): Silence | undefined {
  return silences.toSorted((a, b) => b.tries - a.tries)[0];
}

function silentCalls(kept: Kept | undefined, timeout: number): readonly Silence[] {
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
function muteConnections(
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

interface Meanwhile {
  readonly reads: readonly AcceptRead[];
  readonly xray: Xray | undefined;
  readonly timeout: number;
  readonly now: Instant;
  readonly stamp: (at: Instant) => string;
  /** Of the target; 0 = no time to start is granted. */
  readonly startupMs: number;
}

function stopped(
  { tries, seenBy, since, isStarting = false }: Silence,
  lastReplyAt: Instant | undefined,
  { reads, xray, timeout, now, stamp, startupMs }: Meanwhile,
): readonly Symptom[] | undefined {
  // What was read before the silence says nothing of it.
  const proof = unreadBytes(reads.filter(({ at }) => at >= since));
  if (isDoubtful(proof, since, xray)) return [];
  const patience = isStarting ? patienceFor({ waitedMs: now - since, startupMs }) : undefined;
  if (patience === "silent") return undefined;
  const proven: Told = {
    severity: patience ?? "critical",
    witnesses: [seenBy, "kernel"],
    end: UNREAD,
  };
  const told: Told = proof ? proven : { severity: "warning", witnesses: [seenBy], end: "" };
  const asked = seenBy === "connection" ? "calls" : "new connections";
  return [
    {
      subject: {},
      severity: told.severity,
      witnesses: told.witnesses,
      summary: `The app left ${tries} ${asked} in a row without an answer${told.end}`,
      evidence: present({
        flavour: "stopped",
        tries,
        timeoutMs: timeout,
        ...proof,
        lastReplyAt: lastReplyAt && stamp(lastReplyAt),
      }),
    },
  ];
}

type Told = Required<Pick<Symptom, "severity" | "witnesses">> & { readonly end: string };

/** The app reads, or whether it is only our connection that is silent was not asked since. */
function isDoubtful(proof: Evidence | undefined, since: Instant, xray: Xray | undefined): boolean {
  if (proof !== undefined) return Object.keys(proof).length === 0;
  return xray !== undefined && xray.same.lastAt <= since;
}

/** What lies unread in two reads: empty = nothing, undefined = the kernel does not tell. */
function unreadBytes(reads: readonly AcceptRead[]): Evidence | undefined {
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

function blockedLoop(
  kept: Kept,
  connectMs: number | undefined,
  limits: {
    readonly slow: number;
    readonly slowAbsolute: number;
    readonly usual: Baseline | undefined;
  },
): readonly Symptom[] | undefined {
  const replies = newestReplies(kept);
  const isFast = connectMs !== undefined && connectMs < FAST_CONNECT_MS;
  if (kept.state === "closed" || !isFast) return [];
  const medianMs = medianOf(replies);
  const usualMs = limits.usual?.mean;
  if (!isSlow(medianMs, limits)) return [];
  if (replies.length < LEAST_CALLS) return undefined;
  return [
    {
      subject: {},
      severity: "warning",
      witnesses: ["connection"],
      summary: `The app takes ${Math.round(medianMs)} ms to answer a small call, though its port connects in ${Math.round(connectMs * 10) / 10} ms`,
      evidence: present({
        flavour: "blocked-loop",
        tries: replies.length,
        medianMs,
        baselineMs: usualMs,
        connectMs,
      }),
    },
  ];
}

function isSlow(medianMs: number, limits: Parameters<typeof blockedLoop>[2]): boolean {
  if (medianMs > limits.slowAbsolute) return true;
  const usualMs = limits.usual?.mean;
  return usualMs !== undefined && medianMs > limits.slow && medianMs > TIMES_USUAL * usualMs;
}

/** The answers of the minute that ends with the newest call; for how long no answer came says nothing of one. */
function newestReplies({ replies }: Kept): readonly Reply[] {
  const newest = replies.at(-1)?.at ?? 0;
  return replies.filter(({ at, outcome }) => outcome === "replied" && newest - at <= WINDOW_MS);
}

function medianOf(replies: readonly Reply[]): number {
  const sorted = replies.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** The newest TCP connect that worked. */
function connectMsOf(kept: Kept, xray: Xray | undefined): number | undefined {
  return xray?.latest.dials.at(-1)?.connectMs ?? kept.connectMs;
}
