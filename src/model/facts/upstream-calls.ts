import type { Instant } from "../time.ts";
import type { ChannelGroup, Channels } from "./channels.ts";

/** All channels of the app with one upstream, in one poll. */
export type UpstreamPoll = ChannelGroup & { readonly at: Instant };

/** A join: what the app's own channels say of one configured upstream, poll by poll. */
export interface UpstreamCalls {
  /** The app's target that says so. */
  readonly from: string;
  /** Newest last, at most 70. */
  readonly polls: readonly UpstreamPoll[];
}

/**
 * The unbroken run of polls, up to now, in which the app had channels with each upstream: what a
 * verdict about the app as a client is made of, configured upstream or not.
 */
export function pollsByUpstream({
  polls,
}: Channels): readonly (readonly [string, readonly UpstreamPoll[]])[] {
  const names = Object.keys(polls.at(-1)?.upstreams ?? {});
  return names.map((name) => {
    const all = polls.map(({ at, upstreams }) => {
      const group = upstreams[name];
      return group === undefined ? undefined : { ...group, at };
    });
    const known = all.slice(all.lastIndexOf(undefined) + 1);
    return [name, known.filter((poll) => poll !== undefined)] as const;
  });
}
