import type { Instant } from "../time.ts";
import type { GoawayFacts } from "../xray.ts";

/** A small unary call over the kept connection. */
export interface Reply {
  readonly at: Instant;
  readonly outcome: "replied" | "silent";
  readonly ms: number;
}

/** The kept connection: is it there, and does anybody answer on it? */
export interface Kept {
  readonly state: "open" | "closed";
  readonly since: Instant;
  readonly localPort?: number;
  /** TCP connect time of this connection. */
  readonly connectMs?: number;
  /** Newest last, at most 30; of this epoch. */
  readonly replies: readonly Reply[];
  /** Calls in a row without reply up to now. */
  readonly silentInRow: number;
  readonly lastReplyAt?: Instant;
  /** How the last one ended. */
  readonly closedBy?: "us" | "goaway" | "fin" | "rst" | "flood" | "error";
  readonly goaway?: GoawayFacts;
  /** Connections that ended in this epoch. */
  readonly lost: number;
}
