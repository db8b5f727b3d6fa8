import type { Instant } from "../time.ts";
import type { ChannelGroup } from "./channels.ts";

/** A join: what the app's own channels say of one configured upstream, poll by poll. */
export interface UpstreamCalls {
  /** The app's target that says so. */
  readonly from: string;
  /** Newest last, at most 70. */
  readonly polls: readonly ({ readonly at: Instant } & ChannelGroup)[];
}
