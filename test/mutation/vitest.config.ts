import { readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";
import { MUTATED } from "./concerned.ts";
import { mutantsOf, withMutants } from "./mutants.ts";
import { SurvivorReporter } from "./reporter.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** Puts every mutant of a file into it, asleep; `runner.ts` wakes one at a time. */
const mutants: Plugin = {
  name: "mutants",
  enforce: "pre",
  transform(_code, id) {
    const file = relative(root, id);
    if (!MUTATED.includes(file)) return undefined;
    const source = readFileSync(join(root, file), "utf8");
    const names = mutantsOf(file, source).map(({ name }) => name);
    return `${withMutants(file, source)}\nglobalThis.mutation.know(${JSON.stringify(file)}, ${JSON.stringify(names)});\n`;
  },
};

/**
 * `npm run mutation`: breaks each condition of the detectors and of what judges them once, and says
 * which breaks no test has noticed. `npm run mutation -- l4-pinning` is about one file.
 */
export default defineConfig({
  oxc: { target: "es2023" },
  plugins: [mutants],
  test: {
    root,
    include: ["test/detectors/*.test.ts", "test/findings/*.test.ts"],
    exclude: ["test/detectors/{index,pages}.test.ts"],
    runner: join(root, "test/mutation/runner.ts"),
    reporters: [new SurvivorReporter()],
    isolate: false,
    maxWorkers: "100%",
    testTimeout: 600_000,
  },
});
