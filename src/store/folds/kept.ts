import type { Kept } from "../../model/facts/kept.ts";
import { defineFold, type InputOf } from "../fold.ts";
import { pushed } from "../ring.ts";

const MOST_REPLIES = 30;

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
  bound: "30 replies, one GOAWAY",
  maxAgeMs: Number.POSITIVE_INFINITY,
  inNewEpoch({
    goaway: _goaway,
    lastReplyAt: _lastReplyAt,
    implementation: _implementation,
    ...kept
  }: Kept): Kept {
    return { ...kept, replies: [], silentInRow: 0, lost: 0 };
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
  const { goaway: _goaway, localPort: _localPort, ...rest } = before ?? { replies: [], lost: 0 };
  return {
    ...rest,
    state: "open",
    since: at,
    connectMs,
    silentInRow: 0,
    ...(localPort === undefined ? {} : { localPort }),
  };
}

/** A connection that never opened ends none. One that we closed ourselves is not lost. */
function closed(before: Kept | undefined, input: InputOf<"connection/closed">): Kept {
  const { at, by } = input;
  const { localPort: _localPort, ...rest } = before ?? { replies: [], silentInRow: 0, lost: 0 };
  const isLost = before?.state === "open" && by !== "us";
  const since = before?.state === "closed" ? before.since : at;
  return { ...rest, state: "closed", since, closedBy: by, lost: rest.lost + (isLost ? 1 : 0) };
}

function replied(kept: Kept, { at, outcome, ms }: InputOf<"connection/reply">): Kept {
  const replies = pushed(kept.replies, { at, outcome, ms }, MOST_REPLIES);
  if (outcome === "silent") return { ...kept, replies, silentInRow: kept.silentInRow + 1 };
  return { ...kept, replies, silentInRow: 0, lastReplyAt: at };
}
