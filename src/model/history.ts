import type { ChangeSince } from "./finding.ts";
import type { Instant } from "./time.ts";

/** A value that one aspect of a target took, at the moment when it was first seen. */
export interface HistoryMark {
  readonly at: Instant;
  readonly what: ChangeSince["what"];
  /**
   * As a person reads it, at most 200 characters: a fingerprint, `maxConcurrentStreams 100`, sorted
   * addresses, the number of the epoch.
   */
  readonly value: string;
}

/**
 * What the ring of the last 10 min tells of each target: the marks within it, and for each aspect
 * the newest mark before it, so that every value has a beginning. Oldest first; a value that stays
 * makes one mark. A finding is compared with the last good state through these.
 */
export interface History {
  readonly targets: Readonly<Record<string, readonly HistoryMark[]>>;
}
