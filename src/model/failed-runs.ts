import type { ProbeHistory, ProbeRun } from "./facts/probes.ts";
import type { Reason } from "./reason.ts";

/** Failures that our own slowness can make. */
const TIMING: ReadonlySet<Reason> = new Set([
  "deadline",
  "connect_timeout",
  "settings_timeout",
  "dns_timeout",
]);

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

function isOurFault({ reason, isSuspect }: ProbeRun): boolean {
  return reason === "agent" || (isSuspect && reason !== undefined && TIMING.has(reason));
}

/** `once`, `3 times in a row`. */
export function timesText(failures: number): string {
  return failures === 1 ? "once" : `${failures} times in a row`;
}
