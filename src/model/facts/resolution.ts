import type { DnsObservation } from "../observation.ts";
import type { Instant } from "../time.ts";

/** One lookup, without its addresses. */
export interface Lookup {
  readonly at: Instant;
  readonly outcome: "answered" | "failed";
  readonly cause?: DnsObservation["cause"];
  readonly durationMs: number;
  /**
   * Made while our own timing could not be trusted: an answer says nothing of how fast the DNS is, and
   * one that we did not get in time may have been on its way.
   */
  readonly isSuspect?: true;
  readonly unanswered?: DnsObservation["unanswered"];
}

/** What we know of one address that an answer held. At most 200 addresses are kept, newest first. */
export interface SeenAddress {
  /** In the newest answer that held it. */
  readonly at: Instant;
  /** Unbroken membership since; meaningful only while it is in the latest answer. */
  readonly since: Instant;
  /** Answers in a row that lacked it. */
  readonly missed: number;
  /** Its longest absence that ended, in the last 30 min; 0 if none. */
  readonly longestGapMs: number;
}

/** What the pod's resolver says of a target's name, over time. */
export interface Resolution {
  readonly name: string;
  /** Newest last, at most 30. */
  readonly lookups: readonly Lookup[];
  /** The unbroken run of failures up to now. */
  readonly failing?: {
    readonly since: Instant;
    readonly lastAt: Instant;
    readonly count: number;
    readonly cause: NonNullable<DnsObservation["cause"]>;
  };
  readonly triedNames: readonly string[];
  /** Addresses of the newest answer that was not empty. */
  readonly answers: readonly string[];
  /** When that answer came; absent = never. */
  readonly answeredAt?: Instant;
  /** NOERROR answers in a row up to now, none of them empty. */
  readonly answeredInRow: number;
  readonly seen: Readonly<Record<string, SeenAddress>>;
  readonly highestTtlMs: number;
}
