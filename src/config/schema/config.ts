import * as z from "zod";
import type { DetectorRecord } from "../../model/detector-record.ts";
import { parseInstant } from "../instant.ts";
import { agentShape } from "./agent.ts";
import { findingsSchema } from "./findings.ts";
import { probeSchema } from "./probe.ts";
import { targetSchema } from "./target.ts";

const ignoreSchema = z.strictObject({
  code: z.string().describe("The code that is not told."),
  target: z.string().optional().describe("Only on this target. Without it: on all."),
  until: z
    .string()
    .refine((text) => parseInstant(text) !== undefined, {
      error: "a day such as 2027-01-15, or an RFC 3339 time",
    })
    .transform((text) => parseInstant(text) ?? 0)
    .optional()
    .describe("Until this day (its first moment in UTC) or RFC 3339 time. Without it: for ever."),
  reason: z
    .string({ error: "a reason, for those who come later" })
    .min(1, "a reason, for those who come later")
    .max(500, "at most 500 characters")
    .describe("Why."),
});

/** The whole file. Rules that span several values are in `rules/`, so that all faults show at once. */
export function configSchema(detectors: readonly DetectorRecord[]) {
  return z.strictObject({
    ...agentShape,
    targets: z
      .array(targetSchema(detectors), { error: "a list with at least one target" })
      .min(1, "at least one target")
      .max(50, "at most 50 targets")
      .describe("What is watched. Several gRPC ports are several targets."),
    probes: z
      .array(probeSchema)
      .max(200, "at most 200 probes")
      .default([])
      .describe("RPCs that are run on a schedule."),
    findings: findingsSchema(detectors).describe(
      "For each code: `on`, `off`, or a mapping of `severity`, `hold`, `clearAfter` and its limits. A mapping switches it on.",
    ),
    ignore: z
      .array(ignoreSchema)
      .max(100, "at most 100 entries")
      .default([])
      .describe("Findings that stay visible under `suppressed` and are told nowhere else."),
  });
}

/** The values of a valid file. */
export type ConfigValues = z.output<ReturnType<typeof configSchema>>;
