import type { ServerTotals } from "../model/channelz.ts";
import type { OwnCalls } from "../model/observation.ts";
import type { CallCounters } from "./call-counters.ts";

/** Calls as a server counts them: cumulative since some beginning. */
export interface Calls {
  readonly started: number;
  readonly succeeded: number;
  readonly failed: number;
}

/** Our own calls as this implementation's server counts them. */
export function ownCallsAsCounted(own: OwnCalls, counters: CallCounters): Calls {
  const { started, succeeded, failed, unimplemented } = own;
  return counters.countsUnimplemented
    ? { started, succeeded, failed: failed + unimplemented }
    : { started: started - unimplemented, succeeded, failed };
}

/** The server's totals; with our own calls, as it counts them. */
export function serverCalls(server: ServerTotals): Calls {
  const { callsStarted, callsSucceeded, callsFailed } = server;
  return { started: callsStarted, succeeded: callsSucceeded, failed: callsFailed };
}

export function minus(a: Calls, b: Calls): Calls {
  return {
    started: a.started - b.started,
    succeeded: a.succeeded - b.succeeded,
    failed: a.failed - b.failed,
  };
}

/** Calls running now; our own are running too while we ask. */
export function running({ started, succeeded, failed }: Calls): number {
  return Math.max(0, started - succeeded - failed);
}
