import { expect, it } from "vitest";
import type { Symptom } from "../../src/model/finding.ts";
import { boundList, boundSubjects } from "../../src/model/subjects.ts";

const symptoms = (count: number): readonly Symptom[] =>
  Array.from({ length: count }, (_, index) => ({
    subject: { port: `${index}` },
    witnesses: ["kernel"],
    summary: "",
    evidence: { rows: index },
  }));

it("keeps twenty subjects as they are", () => {
  expect(boundSubjects(symptoms(20))).toEqual(symptoms(20));
});

it("tells in the last one how many were left out", () => {
  const last = { ...symptoms(20).at(-1), evidence: { rows: 19, omitted: 3 } };
  expect(boundSubjects(symptoms(23))).toEqual([...symptoms(19), last]);
});

it("holds twenty entries of a list", () => {
  const numbers = Array.from({ length: 21 }, (_, index) => index);
  expect(boundList(numbers)).toEqual(numbers.slice(0, 20));
});
