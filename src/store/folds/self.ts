import type { Self, SelfWindow } from "../../model/facts/self.ts";
import { present } from "../../model/present.ts";
import { defineFold, type EventOf } from "../fold.ts";
import { pushed } from "../ring.ts";

const MOST_WINDOWS = 12;

interface State {
  readonly value: Self;
  /** Of the window that is not over yet. */
  readonly worstLag?: SelfWindow["worstLag"];
  readonly skipped: number;
}

/** The agent's own condition, window by window: what it measures of itself, and how late its jobs are. */
export const selfFold = defineFold({
  fact: "self",
  of: ["agent"],
  reads: ["agent/self"],
  alsoReads: ["agent/started", "agent/job-finished", "agent/job-skipped", "agent/config-loaded"],
  bound: "12 windows",
  maxAgeMs: 37_500,
  inNewEpoch: "stays",
  tell: (state: State) => state.value,

  fold(previous: State | undefined, { event }, { agentStartedAt }) {
    const state = previous ?? { value: { startedAt: agentStartedAt, windows: [] }, skipped: 0 };
    switch (event.kind) {
      case "started":
        return state;
      case "config-loaded":
        return { ...state, value: { ...state.value, reloadedAt: event.at } };
      case "job-skipped":
        return { ...state, skipped: state.skipped + 1 };
      case "job-finished":
        return withLag(state, event);
      case "self":
        return closeWindow(state, event);
    }
  },
});

function withLag(state: State, event: EventOf<"job-finished">): State {
  const { job, lagMs, intervalMs } = event;
  if (intervalMs === undefined || intervalMs <= 0) return state;
  const ratio = lagMs / intervalMs;
  if (ratio <= (state.worstLag?.ratio ?? 0)) return state;
  return { ...state, worstLag: { job, lagMs, ratio } };
}

function closeWindow({ value, worstLag, skipped }: State, event: EventOf<"self">): State {
  const { at, windowMs, lagP99Ms, throttledRatio, rssBytes, limitBytes, descriptorsRatio } = event;
  const window: SelfWindow = {
    at,
    windowMs,
    lagP99Ms,
    jobsSkipped: skipped,
    rssBytes,
    ...present({ throttledRatio, limitBytes, descriptorsRatio, worstLag }),
  };
  return { value: { ...value, windows: pushed(value.windows, window, MOST_WINDOWS) }, skipped: 0 };
}
