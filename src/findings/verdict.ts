import type { Symptom, Unjudged } from "../model/finding.ts";
import type { Instant } from "../model/time.ts";

/** What one detector says of one target in one evaluation. */
export type Verdict = {
  readonly target: string;
  readonly code: string;
} & (
  | {
      readonly outcome: "judged";
      /** Worst first; empty = absent. */
      readonly symptoms: readonly Symptom[];
      /** When the newest of the deciding facts was observed. */
      readonly observedAt: Instant;
    }
  | {
      readonly outcome: "unjudged";
      readonly because: string;
      readonly fix?: string;
      /** The source cannot see here: waiting for it is in vain. */
      readonly isUnavailable: boolean;
      /** Where all needed facts were there, and still did not say enough: when the newest came. */
      readonly observedAt?: Instant;
    }
);

/** The line of the findings document about a judgement that was not made. */
export function unjudgedOf(verdict: Verdict): readonly Unjudged[] {
  if (verdict.outcome === "judged") return [];
  const { target, code, because, fix } = verdict;
  return [{ target, code, because, ...(fix === undefined ? {} : { fix }) }];
}
