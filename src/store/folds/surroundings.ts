import { definedOnly } from "../defined-only.ts";
import { defineFold } from "../fold.ts";
import { kernelAgeMs } from "./kernel-age.ts";

/** What stands around the target in its pod, as the newest read of the socket table tells. */
export const surroundingsFold = defineFold({
  fact: "surroundings",
  of: ["app", "upstream"],
  source: "kernel",
  reads: ["kernel/read"],
  bound: "one read; the source bounds the addresses",
  maxAgeMs: kernelAgeMs,
  inNewEpoch: "stays",
  fold: (_previous, { surroundings, costMs }, { clockDifferenceMs }) => ({
    ...surroundings,
    readCostMs: costMs,
    ...definedOnly({ clockDifferenceMs }),
  }),
});
