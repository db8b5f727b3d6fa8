import type { Implementation } from "../channelz.ts";
import type { Instant } from "../time.ts";
import type { GoawayFacts } from "../xray.ts";

/** A small unary call over the kept connection. */
export interface Reply {
  readonly at: Instant;
  readonly outcome: "replied" | "silent";
  readonly ms: number;
}

/** How one kept connection was ended by the other side. */
export interface KeptEnd {
  readonly at: Instant;
  /** How long it had been open. */
  readonly lifeMs: number;
  /** How long no call had been answered on it: of an age, or of an idle timeout. */
  readonly idleMs: number;
  readonly by: "goaway" | "fin" | "rst";
  /** Of its GOAWAY: the HTTP/2 error code, and what it said. */
  readonly goaway?: Pick<GoawayFacts, "code" | "debugText">;
}

/** The kept connection: is it there, and does anybody answer on it? */
export interface Kept {
  readonly state: "open" | "closed";
  readonly since: Instant;
  readonly localPort?: number;
  /** TCP connect time of this connection. */
  readonly connectMs?: number;
  /** Whose server it is, as far as its texts and SETTINGS told in this epoch. */
  readonly implementation?: Implementation;
  /** Newest last, at most 60; of this epoch. */
  readonly replies: readonly Reply[];
  /** Calls in a row without reply up to now. */
  readonly silentInRow: number;
  readonly lastReplyAt?: Instant;
  /** How the last one ended. */
  readonly closedBy?: "us" | "goaway" | "fin" | "rst" | "flood" | "error";
  readonly goaway?: GoawayFacts;
  /** Connections that ended in this epoch. */
  readonly lost: number;
  /** Those of them that the other side ended, newest last, at most 60; none from before one that we closed. */
  readonly ends: readonly KeptEnd[];
}

const LEAST_SILENT = 3;

/** When the oldest of the calls that are without a reply began; of the newest 60 at most. */
export function silentSince({ replies, silentInRow }: Kept): Instant | undefined {
  const [first] = silentInRow === 0 ? [] : replies.slice(-silentInRow);
  return first && first.at - first.ms;
}

/**
 * True where calls on the open connection stay without a reply, though a fresh one was answered after
 * the first of them: a middlebox forgot it, and Linux would repeat what it sent for 15 min.
 */
export function isDead(kept: Kept, lastPassedAt: Instant | undefined): boolean {
  const since = silentSince(kept);
  if (kept.state !== "open" || kept.silentInRow < LEAST_SILENT) return false;
  return since !== undefined && lastPassedAt !== undefined && lastPassedAt > since;
}

/**
 * The unbroken run, up to now, of connections that the other side ended before they were that old; none
 * while the one that is open has become older.
 */
export function youngEnds(kept: Kept, lifeMs: number, now: Instant): readonly KeptEnd[] {
  const { state, since, ends } = kept;
  if (state === "open" && now - since >= lifeMs) return [];
  return ends.slice(ends.findLastIndex((end) => end.lifeMs >= lifeMs) + 1);
}
