import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readCorpus } from "./corpus.ts";
import { PROPERTIES } from "./index.ts";

/** The same inputs in every run: a failure prints it, with the smallest input that it shrank to. */
const SEED = 20_260_115;

const propertyNamed = (name: string) => PROPERTIES.find((property) => property.name === name);

describe("every input of an arbitrary", () => {
  it.each(PROPERTIES)("$name", async ({ input, runs, check }) => {
    const law = fc.asyncProperty(input, async (value) => check(value));
    await expect(fc.assert(law, { seed: SEED, numRuns: runs })).resolves.toBeUndefined();
  });
});

describe("every case of the corpus", () => {
  it.each(readCorpus())("$property: $name", async ({ property, input }) => {
    expect(await propertyNamed(property)?.check(input)).toBeUndefined();
  });

  it("belongs to a law, and says what went wrong", () => {
    const cases = readCorpus();
    expect(cases.filter(({ property }) => propertyNamed(property) === undefined)).toEqual([]);
    expect(cases.filter(({ why }) => why.trim() === "")).toEqual([]);
  });
});
