import type { Instant } from "../time.ts";

/** Whether the newest configuration file runs. On the reserved target. */
export interface ConfigState {
  /** Base name. */
  readonly file?: string;
  readonly rejected?: {
    readonly at: Instant;
    readonly faults: number;
    /** `line:column: path: …`, secrets masked. */
    readonly firstFault: string;
    readonly runningOn: "last-good" | "default";
    readonly runningSince: Instant;
  };
}
