import type { AgentEvent } from "../../src/model/event.ts";
import type { FactName, Facts } from "../../src/model/facts/index.ts";
import type { Observation } from "../../src/model/observation.ts";
import { AGENT_TARGET } from "../../src/model/target.ts";
import { aStore, targetIn } from "./observations.ts";

/** A fact as it is right after the last of these observations, on that one's target. */
export function folded<K extends FactName>(
  fact: K,
  observations: readonly Observation[],
): Facts[K] | undefined {
  const last = observations.at(-1);
  const snapshot = aStore(...observations).snapshot(last?.at ?? 0);
  const known = targetIn(snapshot, last?.target).facts[fact];
  return known?.state === "known" ? (known.value as Facts[K]) : undefined;
}

/** The same for the agent's own events. */
export function heard<K extends FactName>(
  fact: K,
  events: readonly AgentEvent[],
): Facts[K] | undefined {
  const store = aStore();
  for (const event of events) store.hear(event);
  const snapshot = store.snapshot(events.at(-1)?.at ?? 0);
  const known = targetIn(snapshot, AGENT_TARGET).facts[fact];
  return known?.state === "known" ? (known.value as Facts[K]) : undefined;
}
