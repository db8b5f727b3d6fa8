import type { CallPoll, ServerCalls } from "./facts/server-calls.ts";

/** What the connections that were read must have begun of all calls, to speak for each of them. */
const SEEN_RATIO = 0.9;

/**
 * True where the server's own timer ends some of the calls that are past their deadline, and has ended
 * none of these: what was cancelled, was cancelled by callers. `undefined` = not told. Errors are not
 * told from what the timer ends, and a handler that looks at no deadline lets it end none.
 */
export function endsNoneItself({ timesDeadlines, polls }: ServerCalls): boolean | undefined {
  const [from] = polls;
  const to = polls.at(-1);
  if (timesDeadlines !== true || from === undefined || to === undefined) return undefined;
  const gained = (count: (poll: CallPoll) => number | undefined) =>
    (count(to) ?? 0) - (count(from) ?? 0);
  const seen = gained(({ streams }) => streams?.started);
  if (seen < SEEN_RATIO * gained(({ started }) => started)) return undefined;
  const reset = gained(({ streams }) => streams?.reset);
  const unreset = gained(({ ended }) => ended) - reset - gained(({ succeeded }) => succeeded);
  return unreset < 1;
}
