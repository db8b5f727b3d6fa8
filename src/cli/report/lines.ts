import type { Json } from "../../model/json.ts";

/** A text in front of every line. */
export function indent(lines: readonly string[], by: string): readonly string[] {
  return lines.map((line) => (line === "" ? line : `${by}${line}`));
}

/** Two columns, the first as wide as its widest. */
export function columns(rows: readonly (readonly [string, string])[]): readonly string[] {
  const width = Math.max(0, ...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${left.padEnd(width)}  ${right}`.trimEnd());
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

/** `1 code`, `2 codes`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
