import { isManyOf, lastCalls, lastWindow, type Span, type Timed } from "./counters.ts";

/** The newest whole polls that hold 30 finished calls. */
const FEW_CALLS = 30;
const FEW_BAD = 10;
const LEAST_CALLS = 20;
const TIMES_USUAL = 3;

/** What happened between two polls. */
export interface Outcomes {
  /** Of which `bad` are a share: begun, or finished, as the code counts. */
  readonly calls: number;
  readonly finished: number;
  readonly bad: number;
}

/** A share of calls that ended badly, high enough to look further. */
export interface BadShare {
  readonly bad: number;
  readonly calls: number;
  /** 0..1 */
  readonly ratio: number;
  readonly ms: number;
  readonly from: number;
}

export interface ShareLimits {
  readonly windowMs: number;
  /** A share that is high where it is also three times the usual one, of at least `leastBad` calls. */
  readonly ratio: number;
  readonly leastBad: number;
  /** A share of at least 20 calls that is high whatever is usual. */
  readonly absoluteRatio: number;
  /** The share that the newest 30 calls must have beside ten bad ones; absent = a third. */
  readonly fewRatio?: number;
}

/**
 * The share in the window, or in the newest calls where they are few: `none` is a share that is not
 * high, `undefined` is not known (too few polls, no call ended in all that is remembered, or the
 * counter does not tell).
 */
export function badShare<P extends Timed>(
  polls: readonly P[],
  between: (from: P, to: P) => Outcomes | undefined,
  { usualRatio, limits }: { readonly usualRatio: number | undefined; readonly limits: ShareLimits },
): BadShare | "none" | undefined {
  const shareOf = (span: Span<P> | undefined, what: "calls" | "finished") => {
    const outcomes = span && between(span.from, span.to);
    if (span === undefined || outcomes === undefined) return undefined;
    const { bad } = outcomes;
    // Some that ended had begun before.
    const calls = Math.max(outcomes[what], bad);
    const ratio = calls === 0 ? 0 : bad / calls;
    return { bad, calls, ratio, ms: span.ms, from: span.from.at };
  };
  const window = shareOf(lastWindow(polls, limits.windowMs), "calls");
  if (window !== undefined && isHigh(window, usualRatio, limits)) return window;
  const countOf = (from: P, to: P) => between(from, to)?.finished ?? 0;
  const few = shareOf(lastCalls(polls, FEW_CALLS, countOf), "finished");
  if (few === undefined || few.calls === 0) return undefined;
  const isMany = isManyOf(few.bad, few.calls, FEW_BAD) && few.ratio >= (limits.fewRatio ?? 0);
  if (isMany) return few;
  return window === undefined && few.calls < FEW_CALLS ? undefined : "none";
}

function isHigh(
  { bad, calls, ratio }: BadShare,
  usual: number | undefined,
  limits: ShareLimits,
): boolean {
  if (ratio >= limits.absoluteRatio && calls >= LEAST_CALLS) return true;
  if (usual === undefined) return false;
  return ratio >= limits.ratio && bad >= limits.leastBad && ratio >= TIMES_USUAL * usual;
}
