import type { ChannelFacts } from "../channelz.ts";
import type { Instant } from "../time.ts";

export interface ChannelsPoll {
  readonly at: Instant;
  /** By normalised upstream (`name:port`), at most 50; counters are sums over its channels. */
  readonly upstreams: Readonly<Record<string, ChannelGroup>>;
}

/** All channels of the app with one target. */
export interface ChannelGroup {
  readonly channels: number;
  readonly states: Readonly<Partial<Record<ChannelFacts["state"], number>>>;
  readonly callsStarted: number;
  readonly callsSucceeded: number;
  readonly callsFailed: number;
  /** Sum over the sub-channels, each once: attempts. */
  readonly attempts: number;
  readonly attemptsFailed: number;
  readonly subchannels: number;
  /** A sub-channel is shared with channels of another target: attempts cannot be told apart. */
  readonly isShared?: true;
  /** Open streams by connection address (`ip`), and streams started. */
  readonly remotes: Readonly<
    Record<
      string,
      {
        readonly open: number;
        readonly started: number;
        readonly connections: number;
        readonly failing: boolean;
      }
    >
  >;
  /** The client counts a stream as open while it still waits for a place on its connection. */
  readonly countsQueued?: true;
  readonly lastError?: string;
  /** Its lookaside or xDS scheme, where the target has one: `xds`. */
  readonly scheme?: string;
}

/** The app as a client, over the last 70 polls, newest last. On the target of role app. */
export interface Channels {
  readonly polls: readonly ChannelsPoll[];
}
