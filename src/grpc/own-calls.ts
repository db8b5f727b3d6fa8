import type { OwnCalls } from "../model/observation.ts";
import type { StatusName } from "../model/status.ts";

/** How one of our calls ended. `OK`, a status of the server, or `undefined`: none was answered. */
export type OwnCallEnd = StatusName | undefined;

/** Counts one target's calls of ours. */
export interface CallLedger {
  started(): void;
  ended(status: OwnCallEnd): void;
}

/**
 * The ledger of our own calls, by target, since the agent began: servers count them like anybody's, so
 * they are subtracted from what channelz shows. Each call that ended is in exactly one column.
 */
export interface OwnCallsLedger {
  forTarget(target: string): CallLedger;
  /** Cumulative; zeros for a target that was never called. */
  read(target: string): OwnCalls;
  /** Forgets a target that is watched no more. */
  forget(target: string): void;
}

type Column = { -readonly [K in keyof OwnCalls]: OwnCalls[K] };

export function createOwnCalls(): OwnCallsLedger {
  const columns = new Map<string, Column>();
  const columnOf = (target: string): Column => {
    const known = columns.get(target);
    if (known !== undefined) return known;
    const fresh = { started: 0, succeeded: 0, failed: 0, unimplemented: 0 };
    columns.set(target, fresh);
    return fresh;
  };
  return {
    forTarget: (target) => ({
      started: () => {
        columnOf(target).started += 1;
      },
      ended: (status) => {
        columnOf(target)[columnFor(status)] += 1;
      },
    }),
    read: (target) => ({ ...columnOf(target) }),
    forget: (target) => void columns.delete(target),
  };
}

function columnFor(status: OwnCallEnd): "succeeded" | "failed" | "unimplemented" {
  if (status === "OK") return "succeeded";
  return status === "UNIMPLEMENTED" ? "unimplemented" : "failed";
}
