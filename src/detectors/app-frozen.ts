import type { Baseline } from "../model/baseline.ts";
import type { Kept, Reply } from "../model/facts/kept.ts";
import type { AcceptRead } from "../model/facts/listeners.ts";
import type { Xray } from "../model/facts/xray.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import { isBehindMesh } from "../model/handshake.ts";
import { present } from "../model/present.ts";
import { rfc3339 } from "../model/time.ts";
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
  needs: ["kept", "expectation"],
  uses: ["listeners", "xray", "surroundings"],
  causes: [dnsFailing, connectionRefused, connectBlackholed],
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
      const replies = newestReplies(kept);
      return replies.length === 0
        ? undefined
        : { value: medianOf(replies), weight: replies.length / LEAST_CALLS };
    },
  },

  detect({ kept, expectation, listeners, xray, surroundings, usual }, limits) {
    if (isBehindMesh({ expectation, surroundings })) return undefined;
    const silence = silenceOf(kept, xray, limits.timeout);
    if (silence.tries >= limits.tries) {
      return stopped(silence, kept, { reads: listeners?.reads ?? [], timeout: limits.timeout });
    }
    return blockedLoop(kept, connectMsOf(kept, xray), { ...limits, usual: usual.reply });
  },
});

/** Calls, or fresh connections, in a row that the app left without an answer. */
interface Silence {
  readonly tries: number;
  readonly seenBy: "connection" | "preflight";
}

function silenceOf(kept: Kept, xray: Xray | undefined, timeout: number): Silence {
  const isAnswered = ({ outcome, ms }: Reply) => outcome === "replied" && ms <= timeout;
  const unanswered = kept.replies.length - 1 - kept.replies.findLastIndex(isAnswered);
  const mute = muteConnections(kept, xray);
  // The ring of replies is bounded; the count in the fact is not.
  const calls = Math.max(unanswered, kept.silentInRow);
  return mute > calls
    ? { tries: mute, seenBy: "preflight" }
    : { tries: calls, seenBy: "connection" };
}

/** Fresh connections without SETTINGS from a server that spoke HTTP/2, and has not replied since. */
function muteConnections({ lastReplyAt }: Kept, xray: Xray | undefined): number {
  if (xray === undefined || !xray.everHttp2 || xray.latest.silence !== "mute") return 0;
  const hasReplied = lastReplyAt !== undefined && lastReplyAt >= xray.same.since;
  return hasReplied ? 0 : xray.same.count;
}

function stopped(
  { tries, seenBy }: Silence,
  { lastReplyAt }: Kept,
  { reads, timeout }: { readonly reads: readonly AcceptRead[]; readonly timeout: number },
): readonly Symptom[] {
  const proof = unreadBytes(reads);
  if (proof !== undefined && Object.keys(proof).length === 0) return []; // the app reads: it is not stopped
  const asked = seenBy === "connection" ? "calls" : "new connections";
  return [
    {
      subject: {},
      severity: proof === undefined ? "warning" : "critical",
      witnesses: proof === undefined ? [seenBy] : [seenBy, "kernel"],
      summary: `The app left ${tries} ${asked} in a row without an answer${proof === undefined ? "" : ", and what was sent to it lies unread"}`,
      evidence: present({
        flavour: "stopped",
        tries,
        timeoutMs: timeout,
        ...proof,
        lastReplyAt: lastReplyAt && rfc3339(lastReplyAt),
      }),
    },
  ];
}

/** What lies unread in two reads: empty = nothing, undefined = the kernel does not tell. */
function unreadBytes(reads: readonly AcceptRead[]): Evidence | undefined {
  const [before, last] = reads.slice(-2);
  if (before === undefined || last === undefined) return undefined;
  const { keptReceiveQueueBytes: queuedBytes, unaccepted } = last;
  if (queuedBytes === undefined && unaccepted === undefined) return undefined;
  return present({
    queuedBytes: hasNotShrunk(before.keptReceiveQueueBytes, queuedBytes) ? queuedBytes : undefined,
    unaccepted: hasNotShrunk(before.unaccepted, unaccepted) ? unaccepted : undefined,
  });
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
): readonly Symptom[] {
  const replies = newestReplies(kept);
  const isFast = connectMs !== undefined && connectMs < FAST_CONNECT_MS;
  if (kept.state === "closed" || replies.length < LEAST_CALLS || !isFast) return [];
  const medianMs = medianOf(replies);
  const usualMs = limits.usual?.mean;
  const isUnusual =
    usualMs !== undefined && medianMs > limits.slow && medianMs > TIMES_USUAL * usualMs;
  if (!isUnusual && medianMs <= limits.slowAbsolute) return [];
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

/** The calls of the minute that ends with the newest one. */
function newestReplies({ replies }: Kept): readonly Reply[] {
  const newest = replies.at(-1)?.at ?? 0;
  return replies.filter(({ at }) => newest - at <= WINDOW_MS);
}

function medianOf(replies: readonly Reply[]): number {
  const sorted = replies.map(({ ms }) => ms).toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? 0;
}

/** The newest TCP connect that worked. */
function connectMsOf(kept: Kept, xray: Xray | undefined): number | undefined {
  return xray?.latest.dials.at(-1)?.connectMs ?? kept.connectMs;
}
