import type { AgentEvent } from "../model/event.ts";
import type { FindingChange } from "../model/finding.ts";
import type { Observation } from "../model/observation.ts";
import type { Sink } from "./sink.ts";
import { type SinkReport, SinkState } from "./sink-state.ts";

/** All sinks as one. */
export interface FanOut {
  observe(observation: Observation): void;
  hear(event: AgentEvent): void;
  change(change: FindingChange): void;
  /** Flushes all sinks at once; never rejects. */
  close(signal: AbortSignal): Promise<void>;
}

/**
 * Hands everything to every sink, and keeps them apart: one that throws harms no other, and neither
 * the caller. A failure is told once per change of state, as an event that the other sinks hear.
 *
 * Sinks that work later (a collector, a webhook) tell their own failures through a `SinkState`.
 */
export function fanOut(sinks: readonly Sink[], report: SinkReport): FanOut {
  const members = sinks.map((sink) => ({ sink, state: new SinkState(sink.name, report) }));

  const each = (way: string, tell: (sink: Sink) => void): void => {
    for (const { sink, state } of members) {
      try {
        tell(sink);
        state.worked(way);
      } catch (thrown) {
        state.failed(way, thrown);
      }
    }
  };

  return {
    observe: (observation) => each("observe", (sink) => sink.observe?.(observation)),
    hear: (event) => each("hear", (sink) => sink.hear?.(event)),
    change: (change) => each("change", (sink) => sink.change?.(change)),
    async close(signal) {
      const closing = members.map(async ({ sink, state }) => {
        try {
          await sink.close?.(signal);
        } catch (thrown) {
          state.failed("close", thrown);
        }
      });
      await Promise.all(closing);
    },
  };
}
