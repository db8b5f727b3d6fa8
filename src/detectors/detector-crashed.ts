import type { Symptom } from "../model/finding.ts";
import { defineDetector } from "./detector.ts";

const SLOW_IN_ROW = 3;

/**
 * One of our own rules threw, or takes too long. The others go on; what it would judge is unjudged.
 *
 * Once is enough, as a rule is pure: the same snapshot crashes it again.
 */
export const detectorCrashed = defineDetector({
  code: "detector-crashed",
  title: "A rule of the agent itself is broken",
  layer: "agent",
  severity: "warning",
  remedy:
    "This is a bug of grpc-doctor: send the snapshot (`check --save`) with the stack from the log; until then set that code to `off`.",
  holdMs: 0,
  clearAfterMs: 300_000,
  limits: {
    budget: {
      unit: "ms",
      default: 250,
      min: 10,
      max: 10_000,
      says: "How long one rule may take over all targets, three evaluations in a row",
    },
  },
  needs: ["crashes"],

  detect({ crashes, timingTrusted }, { budget }) {
    return Object.entries(crashes.detectors).flatMap(([detector, record]): readonly Symptom[] => {
      const last = record.lastDurationsMs.slice(-SLOW_IN_ROW);
      // Where the agent itself has no processor to run on, no rule is to blame.
      const isSlow =
        timingTrusted && last.length === SLOW_IN_ROW && last.every((ms) => ms > budget);
      if (!record.isBroken && !isSlow) return [];
      const evidence = { crashes: record.crashes, errorText: record.errorText };
      return [
        {
          subject: { detector },
          witnesses: ["self"],
          summary: record.isBroken
            ? `The rule ${detector} throws (${record.crashes} so far): ${record.errorText}`
            : `The rule ${detector} took ${Math.round(Math.min(...last))} ms or more three times in a row`,
          evidence: record.isBroken ? evidence : { crashes: record.crashes },
        },
      ];
    });
  },
});
