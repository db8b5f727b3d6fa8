import type { Path } from "./path.ts";

/** Reads of values that nobody has checked yet: the rules run whatever the schema found. */

export type RawMapping = Readonly<Record<string, unknown>>;

export function mapping(value: unknown): RawMapping {
  const isMapping = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMapping ? (value as RawMapping) : {};
}

export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The text, or `undefined` for anything else. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The value at a path. */
export function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    if (typeof part === "number") return list(value)[part];
    const within = mapping(value);
    return Object.hasOwn(within, part) ? within[part] : undefined;
  }, root);
}
