import type { Instant } from "../time.ts";
import type { DialAttempt } from "../xray.ts";

/**
 * What our own connects met, over the last 40 attempts and across epochs.
 *
 * A run of equal results is kept apart from the ring, so that "refused since" needs no search.
 */
export interface Reach {
  readonly firstTriedAt: Instant;
  /** Oldest first. */
  readonly attempts: readonly DialAttempt[];
  readonly lastConnectedAt?: Instant;
  /** The port listened, or a connect worked, at least once in this pod's life. */
  readonly everListened: boolean;
  /**
   * The unbroken run, up to now, of rounds in which no address connected. A round is one X-ray: every
   * address that it tried.
   */
  readonly failing?: { readonly since: Instant; readonly lastAt: Instant; readonly rounds: number };
  /** By address, the unbroken run of equal outcomes up to now. */
  readonly runs: Readonly<
    Record<
      string,
      {
        readonly outcome: DialAttempt["outcome"];
        readonly since: Instant;
        readonly lastAt: Instant;
        readonly count: number;
        readonly errno?: string;
      }
    >
  >;
  /** The pod's own address, where it was dialled: its unbroken run. */
  readonly pod?: {
    readonly address: string;
    readonly outcome: DialAttempt["outcome"];
    readonly since: Instant;
    readonly lastAt: Instant;
    readonly count: number;
    readonly errno?: string;
  };
}

/** An unbroken run of equal outcomes towards one address. */
export type ReachRun = Reach["runs"][string];

/** True when the outcome was met twice, at least a second apart. */
export function isConfirmedRun(run: ReachRun): boolean {
  return run.count >= 2 && run.lastAt - run.since >= 1000;
}
