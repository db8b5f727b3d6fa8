import type { Baseline } from "../model/baseline.ts";
import type { Capability } from "../model/capability.ts";
import type { FactName, Facts } from "../model/facts/index.ts";
import type { CapabilityObservation } from "../model/observation.ts";
import type { Known, TargetSnapshot } from "../model/snapshot.ts";
import type { SourceName } from "../model/source-name.ts";
import type { Role, Target } from "../model/target.ts";
import type { Instant } from "../model/time.ts";
import { type Learning, type Lesson, learnAll } from "./baselines.ts";
import { afterEpoch, letIn, missing, ruledOut, seenBy, told } from "./capabilities.ts";
import { definedOnly } from "./defined-only.ts";
import { firstLife, type Life, live, mayServe, quietUntil, stateOf } from "./epochs.ts";
import { type Entry, FactTable } from "./fact-table.ts";
import {
  concerns,
  type Fold,
  type FoldContext,
  type Input,
  isRead,
  keyOf,
  type Subject,
} from "./fold.ts";
import { FOLDS } from "./folds/index.ts";
import { type FreshFacts, JOINS, type Join, leadsThere } from "./joins.ts";

/** Timing says little of a process that has just begun. */
const SETTLING_MS = 30_000;

/** What an input changed. */
export interface Change {
  /** Judgement should hear of it at once. */
  readonly isNews: boolean;
  readonly facts: readonly FactName[];
  readonly isNewEpoch: boolean;
}

/** What an input is folded in the light of, beyond the target itself. */
export interface Surrounding {
  /** Our own timing is suspect now. */
  readonly isSuspect: boolean;
  readonly clockDifferenceMs?: number | undefined;
}

/** All that the store remembers of one target. Changed only by the store. */
export class TargetRecord implements FreshFacts {
  readonly name: string;
  #target: Target | undefined;
  readonly #role: Subject;
  readonly #agentStartedAt: Instant;
  readonly #folds: readonly Fold[];
  readonly #table = new FactTable();
  #life: Life;
  #capabilities: readonly Capability[] = [];
  #learnings: Readonly<Record<string, Learning>> = {};
  #baselines: Readonly<Record<string, Baseline>> = {};
  #latestAt: Instant;

  constructor(options: {
    readonly name: string;
    /** Absent for the agent itself. */
    readonly target?: Target;
    readonly now: Instant;
    readonly agentStartedAt: Instant;
  }) {
    this.name = options.name;
    this.#target = options.target;
    this.#role = options.target?.role ?? "agent";
    this.#agentStartedAt = options.agentStartedAt;
    this.#latestAt = options.now;
    this.#life = firstLife(options.now);
    this.#folds = FOLDS.filter((fold) => fold.of.includes(this.#role));
  }

  get target(): Target | undefined {
    return this.#target;
  }

  get role(): Role | undefined {
    return this.#target?.role;
  }

  get epoch(): number {
    return this.#life.epoch;
  }

  /** The same target, configured otherwise. Whom it lets in otherwise may see more. */
  reconfigure(target: Target): void {
    if (accessOf(target) !== (this.#target && accessOf(this.#target)))
      this.#capabilities = afterEpoch(this.#capabilities);
    this.#target = target;
  }

  /** A fact that is young enough at the moment of the newest input. */
  fact<K extends FactName>(name: K): Facts[K] | undefined {
    return this.#table.young(name, this.#latestAt);
  }

  entry(name: FactName): Entry | undefined {
    return this.#table.entry(name);
  }

  /** A source that is missing here as a whole. */
  missing(source: SourceName | undefined): Capability | undefined {
    return missing(this.#capabilities, source);
  }

  /** Folds an input into every fact that it tells of. */
  apply(input: Input, { isSuspect, clockDifferenceMs }: Surrounding): Change {
    this.#latestAt = Math.max(this.#latestAt, input.at);
    const life = this.#age(input);
    if (keyOf(input) === "connection/opened") this.#capabilities = letIn(this.#capabilities);
    const context: FoldContext = {
      ...this.#context(input.at, isSuspect),
      ...definedOnly({ clockDifferenceMs }),
    };
    const effects = this.#folds
      .filter((fold) => concerns(fold, input))
      .map((fold) => ({ fact: fold.fact, ...this.#table.fold(fold, input, context) }));
    for (const fold of this.#folds) {
      if (isRead(fold, input) && this.#table.entry(fold.fact)?.known.at === input.at) {
        this.#capabilities = seenBy(this.#capabilities, fold.source, input.at);
      }
      const { lapses } = fold;
      if (lapses?.on === keyOf(input)) this.#table.lapse(fold.fact, input.at + lapses.afterMs);
    }
    return {
      isNews: life.isNews || effects.some((effect) => effect.isNews),
      isNewEpoch: life.isNewEpoch,
      facts: effects.filter((effect) => effect.isOther).map(({ fact }) => fact),
    };
  }

  /** Whether the channels of this app lead to this upstream. */
  isReachedBy(app: TargetRecord): boolean {
    const upstream = this.#target;
    return upstream !== undefined && leadsThere({ upstream, own: this, app });
  }

  /** Joins what this upstream and the app know: the facts that changed. */
  join(at: Instant, app: TargetRecord | undefined): readonly FactName[] {
    this.#latestAt = Math.max(this.#latestAt, at);
    return JOINS.filter((join) => this.#joinOne(join, at, app)).map(({ fact }) => fact);
  }

  /** Notes what a source can or cannot see; true if that is news. */
  tell(observation: CapabilityObservation): boolean {
    const before = this.#capabilities;
    this.#capabilities = told(before, observation);
    return before !== this.#capabilities;
  }

  learn(lesson: Lesson): void {
    const before = this.#learnings;
    this.#learnings = learnAll(before, lesson);
    if (this.#learnings === before) return;
    const entries = Object.entries(this.#learnings);
    this.#baselines = Object.fromEntries(entries.map(([key, { baseline }]) => [key, baseline]));
  }

  snapshot(now: Instant, isSuspect: boolean, app: TargetRecord | undefined): TargetSnapshot {
    const until = quietUntil(this.#life, now);
    return {
      state: this.#target === undefined ? "watched" : stateOf(this.#life, this.#target, now),
      epoch: this.#life.epoch,
      epochSince: this.#life.epochSince,
      ...(until === undefined ? {} : { quietUntil: until }),
      ...(mayServe(this.#life, now) ? { mayServe: true as const } : {}),
      timingTrusted: this.#isTimingTrusted(now, isSuspect),
      capabilities: this.#capabilities,
      facts: this.#factsAt(now, app),
      baselines: this.#baselines,
    };
  }

  /** The agent's own facts are the very ones that say whether it is suspect. */
  #isTimingTrusted(now: Instant, isSuspect: boolean): boolean {
    if (this.role === undefined) return true;
    // A clock that was set back must not keep us from judging until it has caught up.
    const age = Math.abs(now - this.#life.epochSince);
    return !isSuspect && age >= SETTLING_MS;
  }

  #age(input: Input): { readonly isNews: boolean; readonly isNewEpoch: boolean } {
    if (this.role === undefined) return { isNews: false, isNewEpoch: false };
    const before = this.#life;
    const after = live(before, input, this.role);
    this.#life = after;
    const isNewEpoch = after.epoch !== before.epoch;
    if (isNewEpoch) this.#renew();
    const hasTurned = after.isUp !== before.isUp || after.drain?.since !== before.drain?.since;
    const isNews = isNewEpoch || hasTurned;
    return { isNews, isNewEpoch };
  }

  #renew(): void {
    for (const fold of this.#folds) this.#table.renew(fold);
    this.#capabilities = afterEpoch(this.#capabilities);
    this.#learnings = {};
    this.#baselines = {};
  }

  #joinOne(join: Join, at: Instant, app: TargetRecord | undefined): boolean {
    const upstream = this.#target;
    const inputs = [
      ...join.own.map((name) => this.#table.entry(name)),
      ...join.apps.map((name) => app?.entry(name)),
    ].filter((entry) => entry !== undefined);
    if (upstream === undefined || inputs.length === 0) return false;
    const before = this.#table.value(join.fact);
    const value = join.join(before as never, { at, upstream, own: this, app });
    if (value === undefined) return false;
    this.#table.put(join.fact, {
      state: value,
      known: { state: "known", at: Math.max(...inputs.map((entry) => entry.known.at)), value },
      expiresAt: Math.max(...inputs.map((entry) => entry.expiresAt)),
    });
    return value !== before;
  }

  #context(at: Instant, isSuspect: boolean): FoldContext {
    return {
      role: this.#role,
      agentStartedAt: this.#agentStartedAt,
      everListened: this.#life.everListened,
      timingTrusted: this.#isTimingTrusted(at, isSuspect),
      isSuspect,
      fact: (name) => this.#table.value(name),
      ...(this.#target === undefined ? {} : { target: this.#target }),
    };
  }

  #factsAt(now: Instant, app: TargetRecord | undefined): TargetSnapshot["facts"] {
    const folded = this.#folds.map(({ fact, source, prune }) => {
      const known = this.#table.known(fact, now, prune);
      return [fact, this.#orUnavailable(fact, known, this.missing(source))] as const;
    });
    const joins = this.role === "upstream" ? JOINS : [];
    const joined = joins.map(({ fact, source }) => {
      const gone = (source.of === "own" ? this : app)?.missing(source.name);
      return [fact, this.#orUnavailable(fact, this.#table.known(fact, now), gone)] as const;
    });
    return Object.fromEntries([...folded, ...joined]) as TargetSnapshot["facts"];
  }

  /** What is known holds, unless its source has gone blind since. */
  #orUnavailable(
    fact: FactName,
    known: Known<unknown>,
    gone: Capability | undefined,
  ): Known<unknown> {
    if (known.state === "known" && (gone === undefined || known.at > gone.since)) return known;
    if (gone !== undefined) {
      const { reason = "the source cannot see here", fix } = gone;
      return { state: "unavailable", reason, ...(fix === undefined ? {} : { fix }) };
    }
    const absence = this.#target && ruledOut(fact, this.#target);
    return absence === undefined ? known : { state: "unavailable", ...absence };
  }
}

/** With what the agent comes to it. */
function accessOf({ tls, metadata }: Target): string {
  return JSON.stringify([tls, metadata]);
}
