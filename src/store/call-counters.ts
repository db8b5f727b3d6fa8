import type { Implementation } from "../model/channelz.ts";
import type { CancelledAs } from "../model/facts/server-calls.ts";

/**
 * What the counters of an implementation mean, beyond what its dialect could normalise: these need
 * two polls, or several objects of one poll.
 */
export interface CallCounters {
  /** A call answered UNIMPLEMENTED is in the server's calls (and in its failed ones). */
  readonly countsUnimplemented: boolean;
  /**
   * `server`: started − succeeded − failed. `sockets`: the sum of the open streams, as the server's
   * own counters leak: a call that was given up is never counted as ended.
   */
  readonly inFlight: "server" | "sockets";
  /** **x**, the calls that were cancelled or past their deadline, as near as can be told. */
  readonly cancelled: CancelledAs;
  /** A call that ends with an error is a stream that ended well: only a reset fails a stream. */
  readonly failsStreamsByReset: boolean;
  /**
   * Of calls past their deadline the server's own timer ends some, which are no resets: measured, one
   * to six in a hundred on Go and four in ten on grpc-js, whoever calls. Of those that callers cancel it ends none.
   */
  readonly timesDeadlines: boolean;
  /**
   * That timer may end every one of them before its caller's reset comes, and its DEADLINE_EXCEEDED is
   * counted as any other error. On Go the callers reset nearly all of them.
   */
  readonly hidesDeadlines: boolean;
  /** A client's call that waits for a free stream is among the open streams of its connection already. */
  readonly countsQueuedStreams: boolean;
}

const UNTOLD: CallCounters = {
  countsUnimplemented: false,
  inFlight: "server",
  cancelled: "failed-calls",
  failsStreamsByReset: false,
  timesDeadlines: false,
  hidesDeadlines: false,
  countsQueuedStreams: false,
};

/** Measured on grpc-go 1.85, grpc-java 1.85.1, grpcio 1.85.1 and grpc-js 1.14.7. */
export const CALL_COUNTERS: Readonly<Record<Implementation, CallCounters>> = {
  go: {
    countsUnimplemented: false,
    inFlight: "server",
    cancelled: "failed-calls",
    failsStreamsByReset: true,
    timesDeadlines: true,
    hidesDeadlines: false,
    countsQueuedStreams: false,
  },
  java: {
    countsUnimplemented: false,
    inFlight: "sockets",
    cancelled: "streams-beyond-calls",
    failsStreamsByReset: false,
    timesDeadlines: false,
    hidesDeadlines: false,
    countsQueuedStreams: false,
  },
  "c-core": {
    countsUnimplemented: true,
    inFlight: "server",
    cancelled: "failed-streams",
    failsStreamsByReset: true,
    timesDeadlines: false,
    hidesDeadlines: false,
    countsQueuedStreams: false,
  },
  "grpc-js": {
    countsUnimplemented: true,
    inFlight: "server",
    cancelled: "failed-calls",
    failsStreamsByReset: true,
    timesDeadlines: true,
    hidesDeadlines: true,
    countsQueuedStreams: true,
  },
  tonic: UNTOLD,
  unknown: UNTOLD,
};
