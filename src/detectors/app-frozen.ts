import type { Baseline } from "../model/baseline.ts";
import type { Kept, Reply } from "../model/facts/kept.ts";
import type { AcceptRead } from "../model/facts/listeners.ts";
import type { Probes } from "../model/facts/probes.ts";
import type { Xray } from "../model/facts/xray.ts";
import type { Evidence, Symptom } from "../model/finding.ts";
import { isBehindMesh } from "../model/handshake.ts";
import { present } from "../model/present.ts";
import {
  longest,
  muteConnections,
  type Silence,
  silentCalls,
  unreadBytes,
  wasAnswered,
  wasLate,
} from "../model/silence.ts";
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
/** An app that reads and does not answer may be at one long task: only what lasts convicts. */
const UNHANDLED = { ms: 120_000, tries: 6 };

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
  uses: ["kept", "listeners", "xray", "surroundings", "probes"],
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

  detect(facts, limits) {
    const { now, stamp, kept, expectation, listeners, xray, surroundings, probes, usual } = facts;
    if (isBehindMesh({ expectation, surroundings })) return undefined;
    const reads = listeners?.reads ?? [];
    const silence = longest([
      ...silentCalls(kept, limits.timeout).filter(
        (silence) => !wasAnswered(xray, silence, limits.timeout),
      ),
      ...(xray === undefined ? [] : muteConnections(kept, xray, reads)),
    ]);
    if (silence !== undefined && silence.tries >= limits.tries)
      return stopped(silence, kept?.lastReplyAt, {
        reads,
        xray,
        probes,
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
const READ = ", though it reads what is sent to it";
const REMEDY_WHERE_IT_READS =
  "Find what holds the handlers: every thread of the server's pool is busy or waits (Python `futures.ThreadPoolExecutor(max_workers)`, Java `ServerBuilder.executor`), or the health service itself waits. Take a thread dump; give waits a timeout, and health a thread of its own.";

/** It was asked, and has never answered: too seldom to be told yet. */
function isSilentSoFar({ replies, lastReplyAt }: Kept): boolean {
  return replies.length > 0 && lastReplyAt === undefined;
}

interface Meanwhile {
  readonly reads: readonly AcceptRead[];
  readonly xray: Xray | undefined;
  readonly probes: Probes | undefined;
  readonly timeout: number;
  readonly now: Instant;
  readonly stamp: (at: Instant) => string;
  /** Of the target; 0 = no time to start is granted. */
  readonly startupMs: number;
}

function stopped(
  silence: Silence,
  lastReplyAt: Instant | undefined,
  meanwhile: Meanwhile,
): readonly Symptom[] | undefined {
  const { tries, seenBy, since, isStarting = false } = silence;
  const { reads, timeout, now, stamp, startupMs } = meanwhile;
  // What was read before the silence says nothing of it.
  const proof = unreadBytes(reads.filter(({ at }) => at >= since));
  const told = toldOf(proof, silence, meanwhile);
  if (told === undefined) return [];
  const patience = isStarting ? patienceFor({ waitedMs: now - since, startupMs }) : undefined;
  if (patience === "silent") return undefined;
  const asked = seenBy === "connection" ? "calls" : "new connections";
  return [
    {
      subject: {},
      severity: patience ?? told.severity,
      witnesses: told.witnesses,
      summary: `The app left ${tries} ${asked} in a row without an answer${told.end}`,
      ...present({ remedy: told.remedy }),
      evidence: present({
        flavour: told.flavour,
        tries,
        timeoutMs: timeout,
        ...proof,
        lastReplyAt: lastReplyAt && stamp(lastReplyAt),
      }),
    },
  ];
}

interface Told extends Required<Pick<Symptom, "severity" | "witnesses">> {
  readonly flavour: "stopped" | "no-handler";
  readonly end: string;
  readonly remedy?: string;
}

/** By what the kernel tells of the bytes that were sent: `{}` = all were read, undefined = nothing. */
function toldOf(
  proof: Evidence | undefined,
  silence: Silence,
  meanwhile: Meanwhile,
): Told | undefined {
  const { seenBy, since } = silence;
  if (proof === undefined) {
    // Whether it is only our connection that is silent was not asked since.
    const isOursAlone = (meanwhile.xray?.same.lastAt ?? Infinity) <= since;
    const told = { flavour: "stopped", severity: "warning", witnesses: [seenBy], end: "" } as const;
    return isOursAlone ? undefined : told;
  }
  const witnesses = [seenBy, "kernel"] as const;
  if (Object.keys(proof).length > 0)
    return { flavour: "stopped", severity: "critical", witnesses, end: UNREAD };
  const remedy = REMEDY_WHERE_IT_READS;
  const told = {
    flavour: "no-handler",
    severity: "warning",
    witnesses,
    end: READ,
    remedy,
  } as const;
  return isUnhandled(silence, meanwhile) ? told : undefined;
}

/** It reads and answers nobody in time, on fresh connections neither, for as long as no task should take. */
function isUnhandled(
  { since, tries, seenBy }: Silence,
  { now, xray, probes, timeout }: Meanwhile,
): boolean {
  if (seenBy !== "connection" || xray === undefined || xray.same.lastAt <= since) return false;
  const lasts = now - since >= UNHANDLED.ms && tries >= UNHANDLED.tries;
  const isAlike = xray.latest.outcome === "failed" || wasLate(xray, timeout);
  const passed = Object.values(probes?.probes ?? {}).map(({ lastOkAt = 0 }) => lastOkAt);
  return lasts && isAlike && passed.every((at) => at <= since);
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
