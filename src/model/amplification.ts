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

/**
 * The newest window in which retries multiply calls, if two of the last three windows show it; or the
 * newest few calls, each of which became two attempts or more. `none` is a ratio that is not high;
 * `undefined` is not known.
 *
 * Calls that succeed are not retried for a fault: hedging has a constant ratio and no failures.
 */
export function amplificationOf(
  polls: readonly UpstreamPoll[],
  limits: { readonly window: number; readonly amplification: number; readonly minAttempts: number },
): Amplification | "none" | undefined {
  const windows = lastWindows(polls, limits.window).map(between);
  const high = windows.filter(
    ({ attempts, ratio, failed }) =>
      attempts >= limits.minAttempts && ratio >= limits.amplification && failed > 0,
  );
  const [newest] = high;
  if (newest !== undefined && high.length >= HIGH_WINDOWS) return newest;
  const few = fewCalls(polls);
  if (few !== undefined) return few;
  return wholeSpan(polls) === undefined ? undefined : "none";
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

/** The newest polls of at most ten calls that became twenty attempts. */
function fewCalls(polls: readonly UpstreamPoll[]): Amplification | undefined {
  const newest = polls.at(-1);
  if (newest === undefined) return undefined;
  const spans = polls.map((poll) => between({ from: poll, to: newest, ms: newest.at - poll.at }));
  return spans.find(
    ({ attempts, calls, failed }) =>
      attempts >= FEW_ATTEMPTS && calls > 0 && calls <= FEW_CALLS && failed > 0,
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
