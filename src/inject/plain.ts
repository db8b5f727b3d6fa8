/**
 * A part of a manifest as plain values. Every scalar is a text, as it is written: what `0644` or `no`
 * mean differs between versions of YAML, and none of it is ours to decide.
 */
export type Plain = string | null | undefined | readonly Plain[] | PlainMap;

export interface PlainMap {
  readonly [key: string]: Plain;
}

/** The mapping at a path; empty where there is none. */
export function mapAt(value: Plain, ...path: readonly string[]): PlainMap {
  const found = at(value, path);
  return isMapping(found) ? found : {};
}

export function listAt(value: Plain, ...path: readonly string[]): readonly Plain[] {
  const found = at(value, path);
  return Array.isArray(found) ? (found as readonly Plain[]) : [];
}

export function textAt(value: Plain, ...path: readonly string[]): string | undefined {
  const found = at(value, path);
  return typeof found === "string" ? found : undefined;
}

/** The entries of a mapping that are texts, as annotations and labels are. */
export function textsOf(map: PlainMap): Readonly<Record<string, string>> {
  const entries = Object.entries(map).flatMap(([key, value]) =>
    typeof value === "string" ? [[key, value] as const] : [],
  );
  return Object.fromEntries(entries);
}

function at(value: Plain, path: readonly string[]): Plain {
  return path.reduce<Plain>((found, key) => (isMapping(found) ? found[key] : undefined), value);
}

function isMapping(value: Plain): value is PlainMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
