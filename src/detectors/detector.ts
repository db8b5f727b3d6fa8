import type { Baseline, Sample } from "../model/baseline.ts";
import type { DetectorRecord, Expects, Layer, Limits } from "../model/detector-record.ts";
import type { FactName, Facts } from "../model/facts/index.ts";
import type { Evidence, Severity, Subject, Symptom } from "../model/finding.ts";
import { knownValue, type TargetSnapshot } from "../model/snapshot.ts";
import { type Instant, rfc3339 } from "../model/time.ts";

/**
 * What one detector sees of one target: only what it declared. A fact of `needs` is never undefined;
 * a fact of `uses` may be.
 */
export type View<N extends FactName, U extends FactName, B extends string> = {
  /** Of the agent's own time, as every instant of the facts is. */
  readonly now: Instant;
  /** The same by the wall clock, to be compared with dates that others wrote. */
  readonly wallNow: Instant;
  /** An instant of the facts as evidence shows it. */
  readonly stamp: (at: Instant) => string;
  readonly target: string;
  /** False while timing says more about us than about the target; facts stay judged. */
  readonly timingTrusted: boolean;
  /** Undefined below the floor of 10 min and 200 calls: then only the absolute twin counts. */
  readonly usual: { readonly [K in B]: Baseline | undefined };
} & { readonly [K in N]: Facts[K] } & { readonly [K in U]: Facts[K] | undefined };

export type Declaration<
  C extends string,
  N extends FactName,
  U extends FactName,
  B extends string,
  L extends Limits,
> = Described<C, N, U, B, L> & (Deciding<N, U, B, L> | Declining<N, U, B, L>);

/** Always judges, once the facts that it needs are known. */
interface Deciding<N extends FactName, U extends FactName, B extends string, L extends Limits> {
  readonly lacks?: never;
  readonly detect: (
    view: View<N, U, B>,
    limits: { readonly [K in keyof L]: number },
  ) => readonly Symptom[];
}

/** May say that the facts which it needs do not tell enough. */
interface Declining<N extends FactName, U extends FactName, B extends string, L extends Limits> {
  /** What a judgement takes that they may lack, as it goes on after "it takes". */
  readonly lacks: string;
  /** `undefined`: not judged after all. */
  readonly detect: (
    view: View<N, U, B>,
    limits: { readonly [K in keyof L]: number },
  ) => readonly Symptom[] | undefined;
}

interface Described<
  C extends string,
  N extends FactName,
  U extends FactName,
  B extends string,
  L extends Limits,
> {
  readonly code: C;
  readonly title: string;
  readonly layer: Layer;
  readonly severity: Severity;
  readonly remedy: string;
  readonly holdMs: number;
  readonly clearAfterMs: number;
  readonly onByDefault?: boolean;
  /** True: judged while the target is still waiting for its port. */
  readonly whileWaiting?: boolean;
  /** True: every condition is about timing, so it is unjudged while timing is not trusted. */
  readonly isTiming?: boolean;
  /** What must be configured; while it is not, the code is unjudged, and that is said. */
  readonly expects?: Expects;
  readonly limits: L;
  readonly needs: readonly N[];
  readonly uses?: readonly U[];
  /** At least one of these (they stand in `uses`) must be known, else the code is unjudged. */
  readonly needsAny?: readonly U[];
  /** Codes that silence this one. References, so that a cycle of causes cannot be imported. */
  readonly causes?: readonly Detector[];
  /**
   * Codes that silence this one only on the target that its evidence names as `dependency`. The same
   * code over there always does: a slow dependency makes its callers slow.
   */
  readonly dependencyCauses?: readonly Detector[];
  /** Narrows the causes: false where this one cannot explain these symptoms. */
  readonly explainedBy?: (cause: Explanation, evidence: Evidence, subject: Subject) => boolean;
  /** True: not told before each cause was judged once since it began, 60 s at most. */
  readonly waitsForCauses?: boolean;
  readonly learns?: {
    readonly [K in B]: (
      facts: { readonly [F in N]: Facts[F] } & { readonly [F in U]: Facts[F] | undefined },
    ) => Sample | undefined;
  };
}

/** A finding that may explain another. */
interface Explanation {
  readonly code: string;
  readonly subject: Subject;
  readonly evidence: Evidence;
}

/** All that a judgement is made of. */
export interface Look {
  readonly now: Instant;
  /** How far the wall clock is ahead of `now`. */
  readonly wallAheadMs: number;
  readonly target: string;
  readonly known: TargetSnapshot;
  readonly limits: Readonly<Record<string, number>>;
  /** Baselines of this code that are past the floor, by name. */
  readonly usual: Readonly<Record<string, Baseline | undefined>>;
}

/** What registry, runner and tracker hold: a declaration with its generics closed over. */
export interface Detector<C extends string = string> extends DetectorRecord {
  readonly code: C;
  readonly whileWaiting: boolean;
  readonly isTiming: boolean;
  readonly needsAny: readonly FactName[];
  readonly causes: readonly Detector[];
  readonly dependencyCauses: readonly Detector[];
  readonly waitsForCauses: boolean;
  readonly learns: readonly string[];
  /** What its facts may lack for a judgement; absent = they always tell enough. */
  readonly lacks?: string;
  /** Whether this cause can explain these symptoms; true unless the declaration narrows it. */
  explainedBy(cause: Explanation, evidence: Evidence, subject: Subject): boolean;
  /** Symptoms, or `undefined`: not judged. */
  judge(look: Look): readonly Symptom[] | undefined;
  /** What it would learn now, by name; empty while a fact of `needs` is unknown. */
  samples(known: TargetSnapshot): Readonly<Record<string, Sample>>;
}

/** Makes a detector of its declaration. The casts of the whole folder live here. */
export function defineDetector<
  C extends string,
  N extends FactName,
  U extends FactName = never,
  B extends string = never,
  const L extends Limits = Limits,
>(
  declaration: Declaration<C, N, U, B, L>,
): Detector<C> & Pick<Declaration<C, N, U, B, L>, "limits"> {
  const { detect, needs, uses = [], needsAny = [], causes = [], learns, ...record } = declaration;
  const learners = Object.entries(learns ?? {}) as [
    string,
    (facts: Partial<Facts>) => Sample | undefined,
  ][];
  return {
    ...record,
    needs,
    uses,
    needsAny,
    causes,
    dependencyCauses: declaration.dependencyCauses ?? [],
    waitsForCauses: declaration.waitsForCauses ?? false,
    explainedBy: declaration.explainedBy ?? (() => true),
    whileWaiting: declaration.whileWaiting ?? false,
    isTiming: declaration.isTiming ?? false,
    learns: learners.map(([name]) => name),

    judge({ now, wallAheadMs, target, known, limits, usual }) {
      if (declaration.isTiming === true && !known.timingTrusted) return undefined;
      const needed = collect(known, needs);
      if (needed === undefined) return undefined;
      const used = Object.fromEntries(uses.map((name) => [name, knownValue(known, name)]));
      if (needsAny.length > 0 && needsAny.every((name) => used[name] === undefined))
        return undefined;
      const { timingTrusted } = known;
      const stamp = (at: Instant) => rfc3339(at + wallAheadMs);
      const time = { now, wallNow: now + wallAheadMs, stamp, timingTrusted };
      const view = { ...used, ...needed, ...time, target, usual };
      return detect(view as View<N, U, B>, limits as { readonly [K in keyof L]: number });
    },

    samples(known) {
      const needed = collect(known, needs);
      if (needed === undefined) return {};
      const used = Object.fromEntries(uses.map((name) => [name, knownValue(known, name)]));
      const facts: Partial<Facts> = { ...used, ...needed };
      const samples = learners.map(([name, learn]) => [name, learn(facts)] as const);
      return Object.fromEntries(
        samples.filter((entry): entry is readonly [string, Sample] => entry[1] !== undefined),
      );
    },
  };
}

/** The values of the named facts, or `undefined` while one of them is not known. */
function collect(known: TargetSnapshot, names: readonly FactName[]): Partial<Facts> | undefined {
  const entries = names.map((name) => [name, knownValue(known, name)] as const);
  return entries.some(([, value]) => value === undefined) ? undefined : Object.fromEntries(entries);
}
