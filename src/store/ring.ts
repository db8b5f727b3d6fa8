/** The list with one more at its end, and without its oldest where it would be longer than `most`. */
export function pushed<T>(list: readonly T[], item: T, most: number): readonly T[] {
  return list.length < most ? [...list, item] : [...list.slice(list.length - most + 1), item];
}

/** The record with only the `most` entries that come first in `order`. */
export function bounded<T>(
  record: Readonly<Record<string, T>>,
  most: number,
  order: (a: T, b: T) => number,
): Readonly<Record<string, T>> {
  const entries = Object.entries(record);
  if (entries.length <= most) return record;
  return Object.fromEntries(entries.toSorted(([, a], [, b]) => order(a, b)).slice(0, most));
}
