import type { ProbeHistory, ProbeRun } from "./facts/probes.ts";
import type { Reason } from "./reason.ts";

/** Failures that our own slowness can make. */
const TIMING: ReadonlySet<Reason> = new Set([
  "deadline",
  "connect_timeout",
  "settings_timeout",
  "dns_timeout",
]);

/** Runs of a probe that are kept; of a longer row only the length is known. */
export const MOST_RUNS = 20;

/** A probe that runs so seldom is told at its first failure. */
const SELDOM_MS = 300_000;

/** So many failures in a row are told: `failures`, but one of a probe that runs every 5 min or by cron. */
export function neededInRow({ everyMs = SELDOM_MS }: ProbeHistory, failures: number): number {
  return everyMs >= SELDOM_MS ? 1 : failures;
}

/** The runs of a probe that say something of the server: what the agent itself spoilt is left out. */
export function tellingRuns({ runs }: ProbeHistory): readonly ProbeRun[] {
  return runs.filter((run) => !isOurFault(run));
}

/** The unbroken run of such runs up to now. */
export function runsInRow(
  history: ProbeHistory,
  isSuch: (run: ProbeRun) => boolean,
): readonly ProbeRun[] {
  const telling = tellingRuns(history);
  return telling.slice(telling.findLastIndex((run) => !isSuch(run)) + 1);
}

/**
 * True where every run that was seen is such a one, and they are fewer than it takes: for how long it has
 * been so, nobody knows. After a run of another kind they are few, and that is known.
 */
export function isSeenTooBriefly(
  history: ProbeHistory,
  isSuch: (run: ProbeRun) => boolean,
  needed: number,
): boolean {
  const telling = tellingRuns(history);
  return telling.length > 0 && telling.length < needed && telling.every(isSuch);
}

/** What the agent itself spoilt: it says nothing of the server. */
export function isOurFault({ reason, isSuspect }: ProbeRun): boolean {
  return reason === "agent" || (isSuspect && reason !== undefined && TIMING.has(reason));
}

/** How often the probe failed in a row: the runs that are kept, and those before them where none passed. */
export function failuresInRow(history: ProbeHistory, inRow: readonly ProbeRun[]): number {
  return isCutShort(history, inRow)
    ? Math.max(inRow.length, history.failedInRow ?? 0)
    : inRow.length;
}

/** `once`, `3 times in a row`; `at least 20 times in a row` where no more runs are kept. */
export function timesText(history: ProbeHistory, inRow: readonly ProbeRun[]): string {
  const times = countText(inRow.length);
  return isCutShort(history, inRow) ? `at least ${times}` : times;
}

/** `once`, `3 times in a row`. */
export function countText(failures: number): string {
  return failures === 1 ? "once" : `${failures} times in a row`;
}

function isCutShort(history: ProbeHistory, inRow: readonly ProbeRun[]): boolean {
  return history.runs.length >= MOST_RUNS && inRow.length === tellingRuns(history).length;
}
