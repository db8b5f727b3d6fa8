import { setMaxListeners } from "node:events";
import { relative } from "node:path";
import { type RunnerTestCase, TestRunner } from "vitest";
import { concernedBy } from "./concerned.ts";

/** Turns of loops within one test: no test of these folders needs a thousandth of them. */
const MOST_TURNS = 1_000_000;

class Mutation {
  /** The mutant that is awake. */
  active: string | undefined;
  #turns = 0;
  readonly #known = new Map<string, readonly string[]>();

  know(file: string, names: readonly string[]): void {
    this.#known.set(file, names);
  }

  of(file: string): readonly string[] {
    return this.#known.get(file) ?? [];
  }

  wake(name: string | undefined): void {
    this.active = name;
    this.#turns = 0;
  }

  turn(): void {
    this.#turns += 1;
    if (this.active !== undefined && this.#turns > MOST_TURNS) throw new Error("it never ends");
  }
}

declare global {
  var mutation: Mutation;
}
globalThis.mutation ??= new Mutation();
// A test that is played a hundred times listens as often for its own end.
setMaxListeners(0);

declare module "vitest" {
  interface TaskMeta {
    /** Names of the mutants that this test has noticed. */
    noticed?: readonly string[];
  }
}

/**
 * Plays each test as it is, which must pass, then once with each mutant that concerns it and is still unnoticed.
 */
export default class MutationRunner extends TestRunner {
  readonly #noticed = new Set<string>();

  async runTask(test: RunnerTestCase): Promise<void> {
    const play = TestRunner.getTestFn(test);
    await play();
    const files = concernedBy(relative(this.config.root, test.file.filepath));
    const names = files.flatMap((file) => globalThis.mutation.of(file));
    const noticed: string[] = [];
    for (const name of names) {
      if (this.#noticed.has(name)) continue;
      globalThis.mutation.wake(name);
      try {
        await play();
      } catch {
        noticed.push(name);
        this.#noticed.add(name);
      }
      globalThis.mutation.wake(undefined);
    }
    // A test that passes only once would take every mutant for noticed.
    await play();
    test.meta.noticed = noticed;
  }
}
