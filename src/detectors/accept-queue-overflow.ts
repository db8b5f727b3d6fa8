import type { Kept } from "../model/facts/kept.ts";
import type { AcceptRead } from "../model/facts/listeners.ts";
import type { Symptom } from "../model/finding.ts";
import type { Instant } from "../model/time.ts";
import { appFrozen } from "./app-frozen.ts";
import { defineDetector } from "./detector.ts";
import { fdExhaustion } from "./fd-exhaustion.ts";

/** How long a queue must have stood before what rose meanwhile convicts. */
const SPAN_MS = 10_000;
/** A frozen app answers nobody: what answers and accepts nobody has no place, or one thread that accepts. */
const REMEDY_WHERE_IT_ANSWERS =
  "The app answers on the connections that it has, and accepts no new ones: look first whether it is out of file descriptors (`too many open files` in its log; `ls /proc/1/fd | wc -l` against `Max open files`), or at a limit of connections of its own; then free the thread that accepts, and raise the backlog.";
/** A queue is of the moment: where reads are dear, and lie minutes apart, an old one tells nothing of now. */
const FRESH_MS = 30_000;

/**
 * The kernel completes connections faster than the app accepts them.
 *
 * Established calls go on, while new clients wait for seconds or for ever: their SYN is dropped and
 * sent again after 1, 3 and 7 s. The overflow counters are of the whole network namespace, so the
 * queue of this very port must stand too.
 *
 * Source: Linux net/ipv4/tcp_ipv4.c (tcp_v4_syn_recv_sock), Documentation/networking/snmp_counter.rst.
 */
export const acceptQueueOverflow = defineDetector({
  code: "accept-queue-overflow",
  title: "New connections wait to be accepted",
  layer: "tcp",
  severity: "critical",
  remedy:
    "Keep the accept loop free (mostly it is blocking work, or no file descriptor is left) and raise the backlog (`net.core.somaxconn` and the server's own).",
  needs: ["listeners", "expectation"],
  uses: ["kept"],
  causes: [appFrozen, fdExhaustion],
  lacks: "a fresh read of the accept queue of the target's own TCP port",
  holdMs: 0,
  clearAfterMs: 60_000,
  limits: {
    reads: {
      unit: "count",
      default: 3,
      min: 2,
      max: 40,
      says: "reads of the socket table in a row with a queue",
    },
    standing: {
      unit: "ms",
      default: 15_000,
      min: 5000,
      max: 600_000,
      says: "how long a queue may stand although nothing was dropped",
    },
  },

  detect({ now, listeners, expectation, kept }, { reads, standing }) {
    const { port } = expectation;
    const last = telling(listeners.reads.at(-1), now);
    if (port === undefined || last === undefined) return undefined;
    const run = standingRun(listeners.reads);
    const [first] = run;
    if (first === undefined) return [];

    const standingMs = last.at - first.at;
    // Two reads that lie far apart may each have met a burst.
    const before = run.slice(0, 1 - reads).findLast(({ at }) => last.at - at >= SPAN_MS);
    const isOverflowing = before !== undefined && isPressed(before, last);
    const heard = answers(kept, first.at);
    const symptom = {
      subject: { port: `${port}` },
      severity: isOverflowing ? "critical" : "warning",
      witnesses: ["kernel"],
      isDeterministic: true,
      summary: `${last.queued} connections to port ${port} wait to be accepted, and some have for ${Math.round(standingMs / 1000)} s`,
      evidence: {
        queued: last.queued,
        unaccepted: last.unaccepted,
        standingSeconds: standingMs / 1000,
        ...rises(first, last),
        ...heard,
      },
      ...remedyOf(heard),
    } satisfies Symptom;
    if (isOverflowing || (run.length >= reads && standingMs > standing)) return [symptom];
    return isBurst(run) ? undefined : [{ ...symptom, isSuspicion: true, holdMs: standing }];
  },
});

/** A read that is not too old, of a kernel that tells who was accepted. */
function telling(
  read: AcceptRead | undefined,
  now: Instant,
): (AcceptRead & Required<Pick<AcceptRead, "unaccepted">>) | undefined {
  if (read?.unaccepted === undefined || now - read.at > FRESH_MS) return undefined;
  return { ...read, unaccepted: read.unaccepted };
}

/** The newest reads in a row that found a queue. */
function standingRun(reads: readonly AcceptRead[]): readonly AcceptRead[] {
  return reads.slice(reads.findLastIndex(({ queued }) => queued <= 0) + 1);
}

/**
 * One read may have met any burst, and what waits may be our own connection, just made: neither accuses
 * nor acquits.
 */
function isBurst(run: readonly AcceptRead[]): boolean {
  return run.length === 1 || run.at(-1)?.unaccepted === 0;
}

/** Connections were dropped meanwhile, or those that wait did not become fewer. */
function isPressed(before: AcceptRead, last: AcceptRead): boolean {
  const { overflows = 0, drops = 0 } = rises(before, last);
  if (overflows > 0 || drops > 0) return true;
  const waiting = last.unaccepted ?? 0;
  return waiting > 0 && waiting >= (before.unaccepted ?? Infinity);
}

function rises(
  before: AcceptRead,
  last: AcceptRead,
): { readonly overflows?: number; readonly drops?: number } {
  return {
    ...(before.overflows === undefined || last.overflows === undefined
      ? {}
      : { overflows: last.overflows - before.overflows }),
    ...(before.drops === undefined || last.drops === undefined
      ? {}
      : { drops: last.drops - before.drops }),
  };
}

/** Whether the kept connection is answered while the queue stands; unknown where nothing was asked. */
function answers(kept: Kept | undefined, since: Instant): { readonly connectionAnswers?: boolean } {
  if (kept === undefined) return {};
  const { state, silentInRow, lastReplyAt } = kept;
  if (state === "closed" || silentInRow > 0) return { connectionAnswers: false };
  return lastReplyAt !== undefined && lastReplyAt >= since ? { connectionAnswers: true } : {};
}

function remedyOf({ connectionAnswers = false }: ReturnType<typeof answers>): {
  readonly remedy?: string;
} {
  return connectionAnswers ? { remedy: REMEDY_WHERE_IT_ANSWERS } : {};
}
