import type { AgentEvent } from "../model/event.ts";
import type { FactName } from "../model/facts/index.ts";
import type { History } from "../model/history.ts";
import type { CapabilityObservation, Observation } from "../model/observation.ts";
import type { Snapshot } from "../model/snapshot.ts";
import { AGENT_TARGET, type Target } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import type { Lesson } from "./baselines.ts";
import { forgotten, marksOf, noted } from "./history.ts";
import { clockDifferenceMs, heardClock, type OtherClock } from "./other-clock.ts";
import { isSuspect, type Suspicion, suspect } from "./suspicion.ts";
import { TargetRecord } from "./target-record.ts";

/** What is known of the watched world; one of the two places that remember (the tracker is the other). */
export interface Store {
  /** Watches a target. One that is known keeps its facts, unless it is another now. */
  register(target: Target, now: Instant): void;
  unregister(name: string): void;
  /** Folds an observation; true if a state changed, so that judgement should not wait. */
  append(observation: Observation): boolean;
  /** Folds an event of the agent into the facts of the reserved target; true as for `append`. */
  hear(event: AgentEvent): boolean;
  /** All facts at this instant: immutable, sharing what did not change with the one before. */
  snapshot(now: Instant): Snapshot;
  learn(lesson: Lesson): void;
  /** What changed in the last 10 min. */
  readonly history: History;
  /** How often something was heard that facts are made of: while it stands still, they only grow older. */
  readonly heard: number;
}

export function createStore({ startedAt }: { readonly startedAt: Instant }): Store {
  return new FactStore(startedAt);
}

/**
 * Folds observations into facts. What happens by age, by epoch and by missing capabilities is decided
 * here and nowhere else; observations of targets that are not registered are dropped.
 */
class FactStore implements Store {
  readonly #startedAt: Instant;
  readonly #records = new Map<string, TargetRecord>();
  #suspectUntil: Suspicion = 0;
  #otherClock: OtherClock | undefined;
  #history: History = { targets: {} };
  #heard = 0;

  constructor(startedAt: Instant) {
    this.#startedAt = startedAt;
    this.#records.set(
      AGENT_TARGET,
      new TargetRecord({ name: AGENT_TARGET, now: startedAt, agentStartedAt: startedAt }),
    );
  }

  get history(): History {
    return this.#history;
  }

  get heard(): number {
    return this.#heard;
  }

  register(target: Target, now: Instant): void {
    this.#heard += 1;
    const { name } = target;
    const known = this.#records.get(name);
    if (known?.target !== undefined && isSamePlace(known.target, target)) {
      known.reconfigure(target);
      return;
    }
    this.unregister(name);
    this.#records.set(
      name,
      new TargetRecord({ name, target, now, agentStartedAt: this.#startedAt }),
    );
    this.#history = noted(this.#history, name, { at: now, what: "epoch", value: "1" });
  }

  unregister(name: string): void {
    if (name === AGENT_TARGET) return;
    this.#heard += 1;
    this.#records.delete(name);
    this.#history = forgotten(this.#history, name);
  }

  append(observation: Observation): boolean {
    const { at } = observation;
    const record = this.#records.get(observation.target);
    if (record === undefined) return false;
    if (observation.kind === "capability") return this.#tell(record, observation);
    this.#heard += 1;
    this.#otherClock = heardClock(this.#otherClock, observation, record.role);
    const change = record.apply(observation, {
      isSuspect: isSuspect(this.#suspectUntil, at),
      clockDifferenceMs: clockDifferenceMs(this.#otherClock, at),
    });
    if (change.isNewEpoch) {
      const mark = { at, what: "epoch", value: String(record.epoch) } as const;
      this.#history = noted(this.#history, record.name, mark);
    }
    this.#noteFacts(record, change.facts, at);
    this.#join(record, observation);
    return change.isNews;
  }

  hear(event: AgentEvent): boolean {
    this.#heard += 1;
    this.#suspectUntil = suspect(this.#suspectUntil, event);
    const { kind, at } = event;
    // The kind and the event say the same, which the type cannot.
    const heard = { source: "agent", target: AGENT_TARGET, kind, at, event } as never;
    return this.#records.get(AGENT_TARGET)?.apply(heard, { isSuspect: false }).isNews ?? false;
  }

  snapshot(now: Instant): Snapshot {
    const isDoubtful = isSuspect(this.#suspectUntil, now);
    const targets = [...this.#records.values()].map(
      (record) => [record.name, record.snapshot(now, isDoubtful, this.#appOf(record))] as const,
    );
    return { takenAt: now, targets: Object.fromEntries(targets) };
  }

  learn(lesson: Lesson): void {
    this.#records.get(lesson.target)?.learn(lesson);
  }

  /** Each run says what its source can see: only what is news was heard. */
  #tell(record: TargetRecord, observation: CapabilityObservation): boolean {
    const isNews = record.tell(observation);
    if (isNews) this.#heard += 1;
    return isNews;
  }

  /** The app that calls this upstream: the first whose channels lead there, else whose channels are known. */
  #appOf(record: TargetRecord): TargetRecord | undefined {
    if (record.role !== "upstream") return undefined;
    const apps = [...this.#records.values()].filter(({ role }) => role === "app");
    const known = apps.filter((app) => app.fact("channels") !== undefined);
    return known.find((app) => record.isReachedBy(app)) ?? known[0] ?? apps[0];
  }

  /** What the app's channels or an upstream's own rows and answers tell is joined at once. */
  #join(record: TargetRecord, { kind, at }: Observation): void {
    const isOfApp = record.role === "app" && kind === "cycle";
    const isOfUpstream = record.role === "upstream" && (kind === "read" || kind === "lookup");
    if (!isOfApp && !isOfUpstream) return;
    const upstreams = isOfUpstream ? [record] : [...this.#records.values()];
    for (const upstream of upstreams.filter(({ role }) => role === "upstream")) {
      this.#noteFacts(upstream, upstream.join(at, this.#appOf(upstream)), at);
    }
  }

  #noteFacts(record: TargetRecord, facts: readonly FactName[], at: Instant): void {
    for (const fact of facts) {
      for (const { what, value } of marksOf(fact, record.fact(fact))) {
        this.#history = noted(this.#history, record.name, { at, what, value });
      }
    }
  }
}

/** The same role and address: what was seen is still of this target. */
function isSamePlace(a: Target, b: Target): boolean {
  return a.role === b.role && a.address === b.address;
}
