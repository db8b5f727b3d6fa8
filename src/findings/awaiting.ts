import type { Case } from "./case.ts";
import type { Verdict } from "./verdict.ts";

/** No symptom waits longer than this for its possible causes to be looked at. */
const LONGEST_WAIT_MS = 60_000;

/** What a finding waits for beyond its hold, and for how long at most. */
export interface Awaited {
  readonly codes: readonly string[];
  readonly leftMs: number;
}

/**
 * The possible causes that a finding waits for, because they were not looked at since it began;
 * `undefined` when it waits for none. A cause that is off, does not apply or cannot be seen here is not
 * waited for; one whose facts are fresh and still do not suffice was looked at, too.
 */
export function awaitedCauses(
  entry: Case,
  verdicts: ReadonlyMap<string, Verdict>,
  monotonicMs: number,
): Awaited | undefined {
  const leftMs = entry.begunMs + LONGEST_WAIT_MS - monotonicMs;
  if (!entry.detector.waitsForCauses || leftMs <= 0) return undefined;
  const unseen = entry.detector.causes.filter((cause) => {
    const verdict = verdicts.get(verdictKey(entry.target, cause.code));
    if (verdict === undefined) return false;
    if (verdict.outcome === "unjudged" && verdict.isUnavailable) return false;
    return verdict.observedAt === undefined || verdict.observedAt < entry.begunAt;
  });
  return unseen.length === 0 ? undefined : { codes: unseen.map(({ code }) => code), leftMs };
}

export function verdictKey(target: string, code: string): string {
  return `${code}/${target}`;
}
