import type { Json } from "../../model/json.ts";
import { wrap } from "../../model/wrap.ts";

/** A text in front of every line. */
export function indent(lines: readonly string[], by: string): readonly string[] {
  return lines.map((line) => (line === "" ? line : `${by}${line}`));
}

/** Two columns, the first as wide as its widest; the second goes on below itself. */
export function columns(
  rows: readonly (readonly [string, string])[],
  width = Number.POSITIVE_INFINITY,
): readonly string[] {
  const left = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.flatMap(([name, value]) =>
    wrap(value, width - left - 2).map((line, index) =>
      `${(index === 0 ? name : "").padEnd(left)}  ${line}`.trimEnd(),
    ),
  );
}

/** A sentence whose further lines are indented. */
export function hanging(text: string, width: number): readonly string[] {
  return wrap(text, width - 4).map((line, index) => (index === 0 ? line : `    ${line}`));
}

/** A value of the evidence as a person reads it: lists with commas, objects as `key value`. */
export function valueText(value: Json): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") {
    return value === "" ? '""' : String(value);
  }
  if (typeof value === "number") return numberText(value);
  if (isList(value)) return value.length === 0 ? "none" : value.map(valueText).join(", ");
  const entries = Object.entries(value).map(([key, inner]) => `${key} ${valueText(inner)}`);
  return `{ ${entries.join(", ")} }`;
}

/** Three digits that count; whole numbers in full. */
export function numberText(value: number): string {
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
