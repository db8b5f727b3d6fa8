import type { Sample } from "./exposition.ts";

const SECOND_MS = 1_000;

/** The upper bound of a bucket of seconds, in ms; infinite for the last, `undefined` for none. */
export function secondsBound(labels: Sample["labels"]): number | undefined {
  return boundMs(labels, SECOND_MS);
}

/** The same of a bucket of milliseconds. */
export function millisecondsBound(labels: Sample["labels"]): number | undefined {
  return boundMs(labels, 1);
}

function boundMs(labels: Sample["labels"], unitMs: number): number | undefined {
  const le = labels.get("le");
  if (le === "+Inf") return Number.POSITIVE_INFINITY;
  const upperMs = Number(le) * unitMs;
  return upperMs >= 0 && Number.isFinite(upperMs) ? upperMs : undefined;
}
