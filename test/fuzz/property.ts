import { fileURLToPath } from "node:url";
import type { Arbitrary } from "fast-check";

/** The repository's root: this file lies two folders below it, as does the bundle of `npm run fuzz`. */
export const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * One law that holds for every input. Inputs are plain JSON, so that a counterexample is a file of
 * the corpus as it stands; bytes are hex.
 */
export interface Property {
  /** Kebab-case; also the folder of its cases in `test/corpus/`. */
  readonly name: string;
  /** How many inputs `npm test` tries, from a seed that never changes. */
  readonly runs: number;
  readonly input: Arbitrary<unknown>;
  /** Throws where the law is broken. */
  check(input: unknown): void | Promise<void>;
}

/** A property with the type of its input closed over. */
export function defineProperty<T>(property: {
  readonly name: string;
  readonly runs: number;
  readonly input: Arbitrary<T>;
  check(input: T): void | Promise<void>;
}): Property {
  return { ...property, check: (input) => property.check(input as T) };
}
