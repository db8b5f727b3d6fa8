import type { ServingStatus, StatusName } from "../status.ts";
import type { Instant } from "../time.ts";

export interface HealthTransition {
  readonly at: Instant;
  readonly from: ServingStatus;
  readonly to: ServingStatus;
  /**
   * Between two Watches, of which behind a balancer the second may be another replica's; or by a Check that
   * takes back what the Watch has just told, until it is told again: its answer may be of before.
   */
  readonly isReopened?: true;
}

/** What health says of one service. */
export interface ServiceHealth {
  readonly status: ServingStatus;
  /** Since when the status has been this. */
  readonly sinceAt: Instant;
  readonly via: "watch" | "check";
  /** SERVING was seen in this epoch. */
  readonly everServing: boolean;
  /** The name was known in this epoch: any status but SERVICE_UNKNOWN. */
  readonly everKnown: boolean;
  /** Newest last, at most 40, of this epoch; SERVICE_UNKNOWN and reconnects make none. */
  readonly transitions: readonly HealthTransition[];
  /** Answers in a row that the name is unknown. */
  readonly unknownInRow: number;
  /** Over a working connection, answers in a row that are errors and no capability. */
  readonly errors?: {
    readonly count: number;
    readonly since: Instant;
    readonly lastAt: Instant;
    readonly code: StatusName;
    readonly text: string;
  };
}

/** The health of every watched service, by name ("" is the server). At most 10. */
export interface Health {
  readonly services: Readonly<Record<string, ServiceHealth>>;
}
