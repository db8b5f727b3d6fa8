import { lastWindow, type Span, wholeSpan } from "./counters.ts";
import type { ChannelGroup } from "./facts/channels.ts";
import type { UpstreamPoll } from "./facts/upstream-calls.ts";

/** How many attempts one call of the app became, in some polls. */
export interface Amplification {
  readonly attempts: number;
  readonly calls: number;
  readonly failed: number;
  /** `attempts` by `calls`. */
  readonly ratio: number;
  readonly ms: number;
}

const FEW_CALLS = 10;
const FEW_ATTEMPTS = 20;
const WINDOWS = 3;
const HIGH_WINDOWS = 2;
/** gRPC tries no call more than five times (gRFC A6), so a failed one explains four of these and no more. */
const EXTRA_OF_FAILED = 4;
/** What failed calls must explain of the extra attempts, or be of all calls where others retry as well. */
const EXPLAINED_RATIO = 0.5;
const FAILED_RATIO = 0.2;
/** Of few calls some fail by chance. */
const FEW_FAILED_RATIO = 0.5;

/**
 * The newest window in which retries multiply calls, if two of the last three windows show it; or the
 * newest few calls, each of which became two attempts or more. `none` is a ratio that is not high;
 * `undefined` is not known.
 *
 * Calls that succeed are not retried for a fault. Hedging makes as many attempts of each call, and those
 * that fail, as some always do, explain few of them.
 */
export function amplificationOf(
  polls: readonly UpstreamPoll[],
  limits: { readonly window: number; readonly amplification: number; readonly minAttempts: number },
): Amplification | "none" | undefined {
  const windows = lastWindows(polls, limits.window).map(between);
  const high = windows.filter(
    (each) =>
      each.attempts >= limits.minAttempts &&
      each.ratio >= limits.amplification &&
      isByFailures(each),
  );
  const [newest] = high;
  if (newest !== undefined && high.length >= HIGH_WINDOWS) return newest;
  const few = fewCalls(polls);
  if (few !== undefined) return few;
  return wholeSpan(polls) === undefined ? undefined : "none";
}

/** True if failed calls, each tried as often as can be, are why there are more attempts than calls. */
function isByFailures({ attempts, calls, failed }: Amplification): boolean {
  const explains = EXTRA_OF_FAILED * failed >= EXPLAINED_RATIO * (attempts - calls);
  return failed > 0 && (explains || failed >= FAILED_RATIO * calls);
}

/** The newest three windows, the newest first. */
function lastWindows(
  polls: readonly UpstreamPoll[],
  windowMs: number,
): readonly Span<UpstreamPoll>[] {
  const windows: Span<UpstreamPoll>[] = [];
  let rest = polls;
  while (windows.length < WINDOWS) {
    const span = lastWindow(rest, windowMs);
    if (span === undefined) break;
    windows.push(span);
    rest = rest.slice(0, rest.length - span.polls.length + 1);
  }
  return windows;
}

/** The newest polls of at most ten calls that became twenty attempts, though half of them failed. */
function fewCalls(polls: readonly UpstreamPoll[]): Amplification | undefined {
  const newest = polls.at(-1);
  if (newest === undefined) return undefined;
  const spans = polls.map((poll) => between({ from: poll, to: newest, ms: newest.at - poll.at }));
  return spans.find(
    ({ attempts, calls, failed }) =>
      attempts >= FEW_ATTEMPTS &&
      calls > 0 &&
      calls <= FEW_CALLS &&
      failed >= FEW_FAILED_RATIO * calls,
  );
}

function between({ from, to, ms }: Pick<Span<UpstreamPoll>, "from" | "to" | "ms">): Amplification {
  const attempts = grown(from, to, "attempts");
  const calls = grown(from, to, "callsStarted");
  const failed = grown(from, to, "callsFailed");
  return { attempts, calls, failed, ratio: calls === 0 ? 0 : attempts / calls, ms };
}

function grown(
  from: ChannelGroup,
  to: ChannelGroup,
  key: "attempts" | "callsStarted" | "callsFailed",
): number {
  return to[key] - from[key];
}
