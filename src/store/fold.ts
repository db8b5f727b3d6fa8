import type { AgentEvent } from "../model/event.ts";
import type { FactName, Facts } from "../model/facts/index.ts";
import type { Observation } from "../model/observation.ts";
import type { SourceName } from "../model/source-name.ts";
import type { Role, Target } from "../model/target.ts";
import type { Instant } from "../model/time.ts";

/** An event of the agent, as an input of the reserved target's facts. */
type Heard<E extends AgentEvent = AgentEvent> = E extends AgentEvent
  ? {
      readonly source: "agent";
      readonly kind: E["kind"];
      readonly target: string;
      readonly at: Instant;
      readonly event: E;
    }
  : never;

export type EventOf<K extends AgentEvent["kind"]> = Extract<AgentEvent, { readonly kind: K }>;

/** What facts are made of: observations, and on the reserved target the agent's own events. */
export type Input = Observation | Heard;

type KeyOf<I> = I extends { readonly source: infer S extends string; readonly kind: infer D }
  ? D extends "capability"
    ? never
    : `${S}/${D & string}`
  : never;

/** `source/kind`. Capabilities are no input of a fold: they say that a fact cannot be had. */
export type InputKey = KeyOf<Input>;

export type InputOf<K extends InputKey> = K extends `${infer S}/${infer D}`
  ? Extract<Input, { readonly source: S; readonly kind: D }>
  : never;

/** Whose facts these are: of targets with this role, or of the agent itself. */
export type Subject = Role | "agent";

/** What a fold may know beside its own past and the input. */
export interface FoldContext {
  /** Absent on the reserved target. */
  readonly target?: Target;
  readonly role: Subject;
  readonly agentStartedAt: Instant;
  /** The port listened, or a connect worked, at least once. */
  readonly everListened: boolean;
  /** Timing says more about the target than about us. */
  readonly timingTrusted: boolean;
  /** We were late ourselves: what did not come in time may have come. */
  readonly isSuspect: boolean;
  /** The clock of another host less ours, where one was heard lately. */
  readonly clockDifferenceMs?: number;
  /** Another fact of the same target as it was before this input, whatever its age. */
  fact<K extends FactName>(name: K): Facts[K] | undefined;
}

/**
 * How observations become one fact.
 *
 * `S` is what the fold remembers; for most it is the fact itself. A fold that must remember more (raw
 * counters, ids) keeps it beside the fact and shows the fact with `tell`.
 */
export interface FoldDeclaration<K extends FactName, R extends InputKey, A extends InputKey, S> {
  readonly fact: K;
  /** Which targets have it at all. */
  readonly of: readonly Subject[];
  /** Whose missing capability makes the fact unavailable; absent = nobody's. */
  readonly source?: SourceName;
  /** What it is made of: each of these makes it young again. */
  readonly reads: readonly R[];
  /** What may change it besides, without making it younger. */
  readonly alsoReads?: readonly A[];
  /** What bounds it, for people and for the contract test. */
  readonly bound: string;
  /** 2.5 × the cadence of what it reads; older than that it is unknown. Infinity: told on change. */
  readonly maxAgeMs: number | ((input: InputOf<R>, context: FoldContext) => number);
  /** An input that ends the stream which kept the fact young: from then on it has so long to live. */
  readonly lapses?: { readonly on: InputKey; readonly afterMs: number };
  /** What of it outlives the watched process. */
  readonly inNewEpoch: "stays" | "goes" | ((state: S) => S);
  /** True where the difference is one that the judgement should hear of at once. */
  readonly isNews?: (before: Facts[K] | undefined, after: Facts[K]) => boolean;
  /** Takes out what is too old within a fact of several parts; the same object if nothing is. */
  readonly prune?: (value: Facts[K], now: Instant) => Facts[K];
  /** Absent: the state is the fact. */
  readonly tell?: (state: S) => Facts[K];
  /** `undefined`: the input says nothing of this fact, which stays as it is and grows older. */
  readonly fold: (
    previous: S | undefined,
    input: InputOf<R> | InputOf<A>,
    context: FoldContext,
  ) => S | undefined;
}

/** A declaration with its generics closed over: what the registry and the store hold. */
export interface Fold {
  readonly fact: FactName;
  readonly of: readonly Subject[];
  readonly source?: SourceName;
  readonly reads: readonly InputKey[];
  readonly alsoReads: readonly InputKey[];
  readonly bound: string;
  readonly lapses?: { readonly on: InputKey; readonly afterMs: number };
  maxAgeMs(input: Input, context: FoldContext): number;
  /** What is left of the state in a new epoch; `undefined` = nothing. */
  renew(state: unknown): unknown;
  isNews(before: unknown, after: unknown): boolean;
  prune(value: unknown, now: Instant): unknown;
  tell(state: unknown): unknown;
  step(previous: unknown, input: Input, context: FoldContext): unknown;
}

/** Makes a fold of its declaration. The casts of the whole folder live here. */
export function defineFold<
  K extends FactName,
  R extends InputKey,
  A extends InputKey = never,
  S = Facts[K],
>(declaration: FoldDeclaration<K, R, A, S>): Fold {
  const { fact, of, source, reads, alsoReads = [], bound, lapses } = declaration;
  const { maxAgeMs, inNewEpoch, isNews, prune, tell } = declaration;
  return {
    fact,
    of,
    reads,
    alsoReads,
    bound,
    ...(source === undefined ? {} : { source }),
    ...(lapses === undefined ? {} : { lapses }),
    maxAgeMs: (input, context) =>
      typeof maxAgeMs === "number" ? maxAgeMs : maxAgeMs(input as InputOf<R>, context),
    renew(state) {
      if (inNewEpoch === "stays") return state;
      return inNewEpoch === "goes" ? undefined : inNewEpoch(state as S);
    },
    isNews: (before, after) => isNews?.(before as Facts[K] | undefined, after as Facts[K]) ?? false,
    prune: (value, now) => prune?.(value as Facts[K], now) ?? value,
    tell: (state) => tell?.(state as S) ?? state,
    step: (previous, input, context) =>
      declaration.fold(previous as S | undefined, input as InputOf<R | A>, context),
  };
}

/** `source/kind` of an input. */
export function keyOf(input: Input): string {
  return `${input.source}/${input.kind}`;
}

export function isRead({ reads }: Fold, input: Input): boolean {
  return (reads as readonly string[]).includes(keyOf(input));
}

/** True if the input can change the fact at all. */
export function concerns(fold: Fold, input: Input): boolean {
  return isRead(fold, input) || (fold.alsoReads as readonly string[]).includes(keyOf(input));
}
