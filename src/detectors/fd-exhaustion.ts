import type { AppProcess, ProcessScrape } from "../model/facts/app-process.ts";
import type { Facts } from "../model/facts/index.ts";
import { isConfirmedXray } from "../model/facts/xray.ts";
import type { Symptom } from "../model/finding.ts";
import type { Witness } from "../model/source-name.ts";
import type { Instant } from "../model/time.ts";
import { defineDetector } from "./detector.ts";

const LEAST_READS = 2;
const READS_SPAN_MS = 5000;

type Seen = {
  readonly [K in "appProcess" | "xray" | "kept" | "listeners"]: Facts[K] | undefined;
};

/**
 * The app has no file descriptor left for a new connection, while the connections that it has go on.
 *
 * `accept` fails with EMFILE: new connections wait in the kernel's queue, or the app takes them and
 * closes them at once. Its own outgoing connections, files and logs fail alike.
 *
 * Source: accept(2), EMFILE; process metrics of the Prometheus client libraries.
 */
export const fdExhaustion = defineDetector({
  code: "fd-exhaustion",
  title: "The app runs out of file descriptors",
  layer: "tcp",
  severity: "critical",
  remedy: "Find the leak (connections, `channel-leak`; files), then raise the limit of open files.",
  needs: [],
  uses: ["appProcess", "xray", "kept", "listeners"],
  needsAny: ["appProcess", "xray"],
  lacks:
    "two scrapes with the open and the most file descriptors: `metrics` of the target with process_open_fds and process_max_fds",
  holdMs: 0,
  clearAfterMs: 120_000,
  limits: {
    high: {
      unit: "ratio",
      default: 0.9,
      min: 0.1,
      max: 1,
      says: "Share of its file descriptors, in two scrapes, that is a warning",
      atMost: "full",
    },
    full: {
      unit: "ratio",
      default: 0.98,
      min: 0.1,
      max: 1,
      says: "Share that is critical where new connections are turned away as well",
    },
  },

  detect(seen, { high, full }) {
    const scrape = lowerOfTwo(seen.appProcess);
    const closedAtOnce = closedBeside(seen);
    // A queue without a number is `accept-queue-overflow`; connections that are closed at once are told.
    if (scrape === undefined)
      return closedAtOnce === 0 ? undefined : [turnedAway(seen, closedAtOnce)];
    return usedRatio(scrape) < high ? [] : [usedUp(seen, { scrape, closedAtOnce, full })];
  },
});

/** Of the newest two scrapes the one that used less: a single peak is no exhaustion. */
function lowerOfTwo(process: AppProcess | undefined): ProcessScrape | undefined {
  const [newest, before] = process?.scrapes.toReversed() ?? [];
  if (newest === undefined || before === undefined) return undefined;
  return usedRatio(before) < usedRatio(newest) ? before : newest;
}

function usedRatio({ openFds, maxFds }: ProcessScrape): number {
  return openFds / maxFds;
}

/** X-rays in a row that were accepted and closed without a byte, while the kept connection answers. */
function closedBeside(seen: Seen): number {
  const { xray } = seen;
  const isClosed = xray?.latest.silence === "closed" && xray.everHttp2;
  if (!isClosed || !isConfirmedXray(xray)) return 0;
  return keptAnswersSince(seen, xray.same.since) ? xray.same.count : 0;
}

/** Connections that nobody accepted in two reads, while the kept connection answers. */
function unacceptedBeside(seen: Seen): number {
  const reads = seen.listeners?.reads ?? [];
  const run = reads.slice(reads.findLastIndex(({ unaccepted = 0 }) => unaccepted === 0) + 1);
  const [first, last] = [run[0], run.at(-1)];
  if (first === undefined || last === undefined || run.length < LEAST_READS) return 0;
  if (last.at - first.at < READS_SPAN_MS || !keptAnswersSince(seen, first.at)) return 0;
  return last.unaccepted ?? 0;
}

function keptAnswersSince({ kept }: Seen, since: Instant): boolean {
  if (kept?.state !== "open" || kept.silentInRow > 0) return false;
  return (kept.lastReplyAt ?? kept.since) >= since;
}

function usedUp(
  seen: Seen,
  {
    scrape: { openFds, maxFds },
    closedAtOnce,
    full,
  }: { readonly scrape: ProcessScrape; readonly closedAtOnce: number; readonly full: number },
): Symptom {
  const used = openFds / maxFds;
  const unaccepted = unacceptedBeside(seen);
  const others: readonly Witness[] = [
    ...(unaccepted > 0 ? (["kernel"] as const) : []),
    ...(closedAtOnce > 0 ? (["preflight"] as const) : []),
  ];
  const isShut = others.length > 0;
  return {
    subject: {},
    severity: isShut && used >= full ? "critical" : "warning",
    witnesses: ["metrics", ...others],
    summary: `The app has ${openFds} of ${maxFds} file descriptors open (${Math.floor(100 * used)} %)${isShut ? ", and new connections are turned away" : ""}`,
    evidence: {
      openFds,
      maxFds,
      usedRatio: used,
      ...(unaccepted === 0 ? {} : { unaccepted }),
      ...(closedAtOnce === 0 ? {} : { closedAtOnce }),
      ...surroundingsOf(seen),
    },
  };
}

function turnedAway(seen: Seen, closedAtOnce: number): Symptom {
  return {
    subject: {},
    severity: "warning",
    witnesses: ["preflight", "connection"],
    summary: `${closedAtOnce} new connections in a row were accepted and closed without a byte, while the kept one answers: the app is out of file descriptors, or at a limit of connections`,
    evidence: { closedAtOnce, ...surroundingsOf(seen) },
  };
}

function surroundingsOf({ kept, listeners }: Seen) {
  const connections = listeners?.reads.at(-1)?.established;
  return {
    ...(kept === undefined
      ? {}
      : { connectionAnswers: kept.state === "open" && kept.silentInRow === 0 }),
    ...(connections === undefined ? {} : { connections }),
  };
}
