/**
 * The entry of a record whose keys strangers choose: `undefined` for a name that no entry has, also
 * for one that every object inherits, as `constructor`.
 */
export function own<T>(record: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
