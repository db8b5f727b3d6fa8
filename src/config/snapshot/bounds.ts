import * as z from "zod";

/**
 * The pieces of which a stranger's snapshot is made, each with a bound. Objects drop the keys that they
 * do not know: what a newer agent adds is ignored.
 */

/** Longer than any text that the agent itself keeps. */
export const text = z.string().max(1_000);
export const count = z.number();
/** The first and the last instant of ECMAScript: others no calendar has. */
const LAST_INSTANT = 8_640_000_000_000_000;
export const instant = z.number().min(-LAST_INSTANT).max(LAST_INSTANT);
export const flag = z.boolean();

/** An absent key, which is never a key that holds nothing. */
export function maybe<T extends z.ZodType>(schema: T): z.ZodExactOptional<T> {
  return schema.exactOptional();
}

export function list<T extends z.ZodType>(schema: T, most: number): z.ZodArray<T> {
  return z.array(schema).max(most);
}

export function record<T extends z.ZodType>(schema: T, most: number) {
  return z
    .record(z.string().max(300), schema)
    .refine((entries) => Object.keys(entries).length <= most, `at most ${most} entries`);
}

/** A record whose keys are of a closed set, not all of which need be there. */
export function some<const K extends readonly string[], T extends z.ZodType>(keys: K, schema: T) {
  return z.partialRecord(z.enum(keys), schema);
}

type Shape<T> = { readonly [K in keyof T]-?: z.ZodType<T[K]> };

/**
 * An object of exactly these keys: a field that the model gains and this schema lacks is a compile
 * error, so that no snapshot loses it on its way through a file.
 */
export function exactly<T>() {
  return <S extends Shape<T>>(shape: S) => z.object(shape);
}
