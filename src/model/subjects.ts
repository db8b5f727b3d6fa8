import type { Symptom } from "./finding.ts";

/** Subjects of one code on one target, at most. */
const GREATEST_COUNT = 20;
/** Entries of a list in evidence, at most. */
const GREATEST_LENGTH = 20;

/** The worst subjects, which come first; the last one that is kept tells how many were left out. */
export function boundSubjects(worstFirst: readonly Symptom[]): readonly Symptom[] {
  const omitted = worstFirst.length - GREATEST_COUNT;
  if (omitted <= 0) return worstFirst;
  return worstFirst
    .slice(0, GREATEST_COUNT)
    .map((symptom, index) =>
      index === GREATEST_COUNT - 1
        ? { ...symptom, evidence: { ...symptom.evidence, omitted } }
        : symptom,
    );
}

/** The symptoms, bounded, each subject once: two probes may call one method. */
export function firstOfEachSubject(worstFirst: readonly Symptom[]): readonly Symptom[] {
  const keys = worstFirst.map(({ subject }) => JSON.stringify(subject));
  return boundSubjects(worstFirst.filter((_, index) => keys.indexOf(keys[index] ?? "") === index));
}

/** A list as evidence holds it. */
export function boundList<T>(values: readonly T[]): readonly T[] {
  return values.slice(0, GREATEST_LENGTH);
}
