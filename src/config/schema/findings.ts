import * as z from "zod";
import type { DetectorRecord, Limit } from "../../model/detector-record.ts";
import { SEVERITIES } from "../../model/finding.ts";
import { LEAST_CLEAR_AFTER_MS } from "../defaults.ts";
import { limitText } from "../limit-text.ts";
import { formatDuration } from "../units.ts";
import { count, duration, ratio, size, word } from "./scalars.ts";

const DAY_MS = 86_400_000;

/** `findings:`, one key for each code, with the limits that its detector declares. */
export function findingsSchema(detectors: readonly DetectorRecord[]) {
  const codes = detectors.map((record) => [record.code, codeSchema(record).optional()] as const);
  return z.strictObject(Object.fromEntries(codes)).prefault({});
}

function codeSchema(record: DetectorRecord) {
  const limits = Object.entries(record.limits).map(
    ([name, limit]) => [name, limitSchema(limit).optional()] as const,
  );
  const settings = z.strictObject({
    severity: word(SEVERITIES).optional().describe("Pins the severity."),
    hold: duration({ min: 0, max: DAY_MS })
      .optional()
      .describe(
        `How long the condition lasts before it is told. Default ${formatDuration(record.holdMs)}.`,
      ),
    clearAfter: duration({ min: LEAST_CLEAR_AFTER_MS, max: DAY_MS })
      .optional()
      .describe(
        `How long it is gone before it is resolved. Default ${formatDuration(Math.max(LEAST_CLEAR_AFTER_MS, record.clearAfterMs))}.`,
      ),
    ...Object.fromEntries(limits),
  });
  const state = (record.onByDefault ?? true) ? "On" : "Off";
  return z
    .union([word(["on", "off"]), z.boolean(), settings], {
      error: "on, off or a mapping of its settings",
    })
    .describe(`${record.title}. ${state} by default.`);
}

function limitSchema(limit: Limit) {
  const { unit, says, atMost } = limit;
  const bound = atMost === undefined ? "" : ` At most \`${atMost}\`.`;
  const described = `${says}. Default ${limitText(limit, limit.default)}.${bound}`;
  switch (unit) {
    case "ms":
      return duration(limit).describe(described);
    case "bytes":
      return size(limit).describe(described);
    case "ratio":
      return ratio(limit).describe(described);
    case "count":
      return count(limit).describe(described);
  }
}
