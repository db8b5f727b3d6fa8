import type { Case } from "./case.ts";
import type { Verdict } from "./verdict.ts";

/** No symptom waits longer than this for its possible causes to be looked at. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Whether a finding waits because a possible cause was not looked at since it began. A cause that
 * is off, does not apply or cannot be seen here is not waited for; one whose facts are fresh and
 * still do not suffice was looked at, too.
 */
export function awaitsCauses(
  entry: Case,
  verdicts: ReadonlyMap<string, Verdict>,
  monotonicMs: number,
): boolean {
  if (!entry.detector.waitsForCauses) return false;
  if (monotonicMs - entry.begunMs >= LONGEST_WAIT_MS) return false;
  return entry.detector.causes.some((cause) => {
    const verdict = verdicts.get(verdictKey(entry.target, cause.code));
    if (verdict === undefined) return false;
    if (verdict.outcome === "unjudged" && verdict.isUnavailable) return false;
    return verdict.observedAt === undefined || verdict.observedAt < entry.begunAt;
  });
}

export function verdictKey(target: string, code: string): string {
  return `${code}/${target}`;
}
