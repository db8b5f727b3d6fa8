import type { Evidence } from "../model/finding.ts";
import type { Json } from "../model/json.ts";

const DIGITS = 3;

/**
 * Evidence as a person reads it: clocks and divisions yield sixteen digits, of which a measurement
 * has three at most. Counts, and what has more digits before the point, are whole.
 */
export function roundedEvidence(evidence: Evidence): Evidence {
  return Object.fromEntries(Object.entries(evidence).map(([key, value]) => [key, rounded(value)]));
}

function rounded(value: Json): Json {
  if (isList(value)) return value.map(rounded);
  if (typeof value !== "number" || Number.isInteger(value)) return value;
  return Math.abs(value) >= 10 ** (DIGITS - 1)
    ? Math.round(value)
    : Number(value.toPrecision(DIGITS));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
