import { wholeSpan } from "./counters.ts";
import type { ChannelGroup, Channels, ChannelsPoll } from "./facts/channels.ts";
import type { Instant } from "./time.ts";

/** A share that rose is at least twice what it was. */
const ROSE = 2;
/** Fewer calls say nothing about a share. */
const LEAST_CALLS = 5;

/** An upstream of the app whose calls explain what its own server shows. */
export interface Dependency {
  /** As the app's channels have it: `name:port`. */
  readonly upstream: string;
  readonly ratio: number;
}

/**
 * The upstream whose calls failed at a share like `ratio` (half of it, at least) since `since`, and
 * not before: the worst one. Where nothing is known of before, the share alone counts. One that comes
 * and goes failed before as well: no channel reached it since then, and while some did, its calls did
 * not fail so.
 */
export function failingDependency(
  channels: Channels | undefined,
  since: Instant,
  ratio: number,
): Dependency | undefined {
  const after = lastBefore(channels, since);
  const polls = channels?.polls ?? [];
  const newest = polls.at(-1);
  const oldest = polls[0];
  if (after === undefined || newest === undefined || oldest === undefined) return undefined;
  const failing = Object.keys(newest.upstreams).flatMap((upstream) => {
    const now = failedShare(after.upstreams[upstream], newest.upstreams[upstream]);
    const before = failedShare(oldest.upstreams[upstream], after.upstreams[upstream]) ?? 0;
    if (now === undefined || now === 0 || now < ratio / 2) return [];
    const whileReached = goesAndComes(polls, upstream, after.at)
      ? reachedShare(polls, upstream, after.at)
      : undefined;
    const isNew = now >= ROSE * Math.min(before, whileReached ?? before);
    return isNew ? [{ upstream, ratio: now }] : [];
  });
  return failing.toSorted((a, b) => b.ratio - a.ratio)[0];
}

function goesAndComes(polls: Channels["polls"], upstream: string, since: Instant): boolean {
  const isReached = ({ upstreams }: ChannelsPoll) => (upstreams[upstream]?.states.READY ?? 0) > 0;
  return (
    polls.some(isReached) &&
    polls.some(({ at, upstreams }) => at >= since && isUnreached(upstreams[upstream]))
  );
}

/** The share that failed until `since`, without what lies beside a poll that reached it by no channel. */
function reachedShare(
  polls: Channels["polls"],
  upstream: string,
  since: Instant,
): number | undefined {
  const counts = polls
    .filter(({ at }) => at <= since)
    .map(({ upstreams }) => upstreams[upstream])
    .flatMap((to, index, groups) => {
      const from = groups[index - 1];
      if (from === undefined || to === undefined) return [];
      return isUnreached(from) || isUnreached(to) ? [] : [endedBetween(from, to)];
    });
  const sum = (what: keyof Ended) => counts.reduce((total, ended) => total + ended[what], 0);
  return shareOf({ failed: sum("failed"), finished: sum("finished") });
}

function isUnreached(group: ChannelGroup | undefined): boolean {
  return (group?.states.TRANSIENT_FAILURE ?? 0) > 0 && (group?.states.READY ?? 0) === 0;
}

/** The one upstream that no channel of the app reaches; `undefined` for none and for several. */
export function downDependency(channels: Channels | undefined): string | undefined {
  const upstreams = Object.entries(channels?.polls.at(-1)?.upstreams ?? {});
  const down = upstreams.filter(([, group]) => isUnreached(group));
  return down.length === 1 ? down[0]?.[0] : undefined;
}

/** The upstream whose calls in flight grew most since `since`: by half of `growth`, at least. */
export function swellingDependency(
  channels: Channels | undefined,
  since: Instant,
  growth: number,
): string | undefined {
  const after = lastBefore(channels, since);
  const newest = channels?.polls.at(-1);
  const grown = Object.entries(newest?.upstreams ?? {}).map(([upstream, group]) => {
    const before = after?.upstreams[upstream];
    return { upstream, grew: before === undefined ? 0 : inFlight(group) - inFlight(before) };
  });
  const most = grown.toSorted((a, b) => b.grew - a.grew)[0];
  return most !== undefined && most.grew > 0 && most.grew >= growth / 2 ? most.upstream : undefined;
}

function lastBefore(channels: Channels | undefined, at: Instant): ChannelsPoll | undefined {
  const polls = channels?.polls ?? [];
  if (wholeSpan(polls) === undefined) return undefined;
  return polls.findLast((poll) => poll.at <= at) ?? polls[0];
}

function failedShare(
  from: ChannelGroup | undefined,
  to: ChannelGroup | undefined,
): number | undefined {
  if (from === undefined || to === undefined) return undefined;
  return shareOf(endedBetween(from, to));
}

interface Ended {
  readonly failed: number;
  readonly finished: number;
}

function endedBetween(from: ChannelGroup, to: ChannelGroup): Ended {
  const failed = to.callsFailed - from.callsFailed;
  return { failed, finished: failed + to.callsSucceeded - from.callsSucceeded };
}

function shareOf({ failed, finished }: Ended): number | undefined {
  return finished < LEAST_CALLS ? undefined : failed / finished;
}

function inFlight({ callsStarted, callsSucceeded, callsFailed }: ChannelGroup): number {
  return callsStarted - callsSucceeded - callsFailed;
}
