import type { Baseline } from "./baseline.ts";
import type { Capability } from "./capability.ts";
import type { FactName, Facts } from "./facts/index.ts";
import type { Instant } from "./time.ts";

/**
 * What is known of one fact. `not-yet`: nothing was observed. `stale`: older than its greatest age.
 * `unavailable`: the source cannot see here, and says why.
 */
export type Known<T> =
  | { readonly state: "known"; readonly at: Instant; readonly value: T }
  | { readonly state: "unknown"; readonly why: "not-yet" | "stale" }
  | { readonly state: "unavailable"; readonly reason: string; readonly fix?: string };

/** `waiting`: its port has not listened yet. `draining`: it is going down on purpose. */
export type TargetState = "waiting" | "watched" | "draining";

/** All that is known of one target at one instant. */
export interface TargetSnapshot {
  readonly state: TargetState;
  /** Counts the lives of the watched process that we saw; begins at 1. */
  readonly epoch: number;
  readonly epochSince: Instant;
  /** No finding opens before: the grace after a drain or a GOAWAY. */
  readonly quietUntil?: Instant;
  /** A GOAWAY alone spoke of a drain, and the port listens on: a fresh connection tells. */
  readonly mayServe?: true;
  /**
   * False while timing says more about us than about the target: our own loop lagged, our cgroup was
   * throttled, our schedule was late, or the epoch is younger than 30 s.
   */
  readonly timingTrusted: boolean;
  readonly capabilities: readonly Capability[];
  readonly facts: { readonly [K in FactName]?: Known<Facts[K]> };
  /** By `code/name`. */
  readonly baselines: Readonly<Record<string, Baseline>>;
}

/** All facts of all targets at one instant; immutable, plain JSON. */
export interface Snapshot {
  readonly takenAt: Instant;
  /** The wall clock was set by so much since the agent began: instants are the agent's own. Absent: not. */
  readonly wallAheadMs?: number;
  readonly targets: Readonly<Record<string, TargetSnapshot>>;
}

/** The value of a fact, or `undefined` while it is not known. */
export function knownValue<K extends FactName>(
  target: TargetSnapshot,
  name: K,
): Facts[K] | undefined {
  const known = target.facts[name];
  return known?.state === "known" ? (known.value as Facts[K]) : undefined;
}
