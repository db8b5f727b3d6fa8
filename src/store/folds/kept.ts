import type { Kept, KeptEnd } from "../../model/facts/kept.ts";
import type { Instant } from "../../model/time.ts";
import type { GoawayFacts } from "../../model/xray.ts";
import { defineFold, type InputOf } from "../fold.ts";
import { pushed } from "../ring.ts";

/** Two minutes of one each 2.5 s, as they come while none is answered, and some more. */
const MOST_REPLIES = 60;
/** One in ten seconds, as they come after a stable one, over the ten minutes that a judgement may span. */
const MOST_ENDS = 60;

/** The kept connection. Its ends are told as they happen, so it does not grow old. */
export const keptFold = defineFold({
  fact: "kept",
  of: ["app", "upstream"],
  reads: [
    "connection/opened",
    "connection/closed",
    "connection/goaway",
    "connection/reply",
    "connection/implementation",
  ],
  bound: "60 replies, 60 ends, one GOAWAY",
  maxAgeMs: Number.POSITIVE_INFINITY,
  inNewEpoch({
    goaway: _goaway,
    lastReplyAt: _lastReplyAt,
    implementation: _implementation,
    ...kept
  }: Kept): Kept {
    return { ...kept, replies: [], silentInRow: 0, lost: 0, ends: [] };
  },
  isNews: (before, after) =>
    before?.since !== after.since ||
    before.goaway !== after.goaway ||
    before.silentInRow !== after.silentInRow,

  fold(previous: Kept | undefined, input) {
    switch (input.kind) {
      case "opened":
        return opened(previous, input);
      case "closed":
        return closed(previous, input);
      case "goaway":
        return previous === undefined ? undefined : { ...previous, goaway: input.goaway };
      case "reply":
        return previous === undefined ? undefined : replied(previous, input);
      case "implementation":
        return previous && { ...previous, implementation: input.implementation };
    }
  },
});

function opened(before: Kept | undefined, input: InputOf<"connection/opened">): Kept {
  const { at, localPort, connectMs } = input;
  const { goaway: _goaway, localPort: _localPort, ...rest } = before ?? NOTHING;
  return {
    ...rest,
    state: "open",
    since: at,
    connectMs,
    silentInRow: 0,
    ...(localPort === undefined ? {} : { localPort }),
  };
}

const NOTHING: Partial<Kept> & Pick<Kept, "replies" | "silentInRow" | "lost" | "ends"> = {
  replies: [],
  silentInRow: 0,
  lost: 0,
  ends: [],
};

/** A connection that never opened ends none. One that we closed ourselves is not lost. */
function closed(before: Kept | undefined, input: InputOf<"connection/closed">): Kept {
  const { at, by } = input;
  const { localPort: _localPort, ...rest } = before ?? NOTHING;
  const isLost = before?.state === "open" && by !== "us";
  const since = before?.state === "closed" ? before.since : at;
  const lost = rest.lost + (isLost ? 1 : 0);
  return { ...rest, state: "closed", since, closedBy: by, lost, ends: endsAfter(before, input) };
}

/** Of those that never opened, and of faults of the socket, nothing is learnt about the server. */
function endsAfter(
  before: Kept | undefined,
  { at, by }: InputOf<"connection/closed">,
): readonly KeptEnd[] {
  if (before?.state !== "open" || by === "error") return before?.ends ?? [];
  return by === "us" || by === "flood" ? [] : pushed(before.ends, endOf(before, at, by), MOST_ENDS);
}

function endOf(
  { since, lastReplyAt, goaway }: Kept,
  closedAt: Instant,
  by: KeptEnd["by"],
): KeptEnd {
  const at = goaway?.at ?? closedAt;
  const usedAt = Math.max(since, Math.min(lastReplyAt ?? since, at));
  const end = { at, lifeMs: at - since, idleMs: at - usedAt, by };
  return goaway === undefined ? end : withGoaway(end, goaway);
}

function withGoaway(end: KeptEnd, { code, debugText }: GoawayFacts): KeptEnd {
  return { ...end, goaway: { code, debugText } };
}

function replied(kept: Kept, { at, outcome, ms }: InputOf<"connection/reply">): Kept {
  const replies = pushed(kept.replies, { at, outcome, ms }, MOST_REPLIES);
  if (outcome === "silent") return { ...kept, replies, silentInRow: kept.silentInRow + 1 };
  return { ...kept, replies, silentInRow: 0, lastReplyAt: at };
}
