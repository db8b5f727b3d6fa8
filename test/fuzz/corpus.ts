import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./property.ts";

/** A case that once broke a law, or that deserves to be tried each time. */
export interface Case {
  readonly property: string;
  readonly name: string;
  /** What went wrong, in a sentence. */
  readonly why: string;
  readonly input: unknown;
}

const FOLDER = join(ROOT, "test/corpus");

/** Every kept case: `test/corpus/<property>/<name>.json`. */
export function readCorpus(): readonly Case[] {
  if (!existsSync(FOLDER)) return [];
  return readdirSync(FOLDER).flatMap((property) =>
    readdirSync(join(FOLDER, property)).map((file) => {
      const { why, input } = JSON.parse(readFileSync(join(FOLDER, property, file), "utf8"));
      return { property, name: file.replace(/\.json$/, ""), why, input };
    }),
  );
}
