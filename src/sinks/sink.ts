import type { AgentEvent } from "../model/event.ts";
import type { FindingChange } from "../model/finding.ts";
import type { Observation } from "../model/observation.ts";

/**
 * An end of the pipe. It gets what happened, returns nothing, may fail and never blocks; the fan-out
 * isolates it, counts its failures, and says so once per change of state.
 */
export interface Sink {
  readonly name: string;
  observe?(observation: Observation): void;
  hear?(event: AgentEvent): void;
  change?(change: FindingChange): void;
  /** Flushes within the signal's time; called once, at the end. */
  close?(signal: AbortSignal): Promise<void>;
}
