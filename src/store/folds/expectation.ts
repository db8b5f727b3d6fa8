import { defineFold } from "../fold.ts";

/** What the configuration expects of the target; it holds until the configuration changes. */
export const expectationFold = defineFold({
  fact: "expectation",
  of: ["app", "upstream"],
  reads: ["config/configured"],
  bound: "the configuration itself",
  maxAgeMs: Number.POSITIVE_INFINITY,
  inNewEpoch: "stays",
  isNews: () => true,
  fold: (_previous, { expectation }) => expectation,
});
