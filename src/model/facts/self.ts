import type { Instant } from "../time.ts";

/** One window of 15 s in the life of the agent. */
export interface SelfWindow {
  readonly at: Instant;
  readonly windowMs: number;
  readonly lagP99Ms: number;
  /** Absent where the cgroup cannot be read. */
  readonly throttledRatio?: number;
  /** The worst job: how late it began, against its interval (0..1 and beyond). */
  readonly worstLag?: { readonly job: string; readonly lagMs: number; readonly ratio: number };
  readonly jobsSkipped: number;
  readonly rssBytes: number;
  readonly limitBytes?: number;
  /** Open file descriptors against the permitted ones (0..1); absent where /proc does not tell. */
  readonly descriptorsRatio?: number;
}

/** The agent's own condition, on the reserved target; newest last, at most 12. */
export interface Self {
  readonly startedAt: Instant;
  readonly windows: readonly SelfWindow[];
  readonly reloadedAt?: Instant;
}
