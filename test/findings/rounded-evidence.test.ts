import { expect, it } from "vitest";
import { roundedEvidence } from "../../src/findings/rounded-evidence.ts";

it("keeps what is whole, and what is no number", () => {
  const evidence = { calls: 123_456_789, alert: 0, cause: "slow", named: true, known: ["a"] };
  expect(roundedEvidence(evidence)).toEqual(evidence);
});

it.each([
  [0.4506000000037602, 0.451],
  [-2.000_04, -2],
  [12.345_6, 12.3],
  [99.96, 100],
  [723.0940899999987, 723],
  [86_501.391, 86_501],
])("tells %d as %d", (measured, told) => {
  expect(roundedEvidence({ lagMs: measured, medians: [measured] })).toEqual({
    lagMs: told,
    medians: [told],
  });
});
