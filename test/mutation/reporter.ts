import { readFileSync } from "node:fs";
import { relative } from "node:path";
import process from "node:process";
import type { Reporter, TestModule, Vitest } from "vitest/node";
import { concernedBy, MUTATED } from "./concerned.ts";
import { EQUIVALENT } from "./equivalent.ts";
import { mutantsOf } from "./mutants.ts";

/** The least share of mutants that the tests must notice. */
const LEAST_SHARE = 0.9;

/** Tells, at the end, which mutants of the files that were tested no test has noticed. */
export class SurvivorReporter implements Reporter {
  #root = "";

  onInit({ config }: Vitest): void {
    this.#root = config.root;
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    for (const test of tests.filter((one) => one.result().state === "failed"))
      say(`FAILED without any mutant: ${test.fullName}\n${test.result().errors?.[0]?.message}`);
    for (const module of modules)
      for (const error of module.errors()) say(`FAILED: ${module.moduleId}\n${error.message}`);

    const noticed = new Set(tests.flatMap((test) => test.meta().noticed ?? []));
    const concerned = modules.flatMap(({ moduleId }) =>
      concernedBy(relative(this.#root, moduleId)),
    );
    const files = MUTATED.filter((file) => concerned.includes(file));
    const mutants = files.flatMap((file) =>
      mutantsOf(file, readFileSync(`${this.#root}/${file}`, "utf8")),
    );
    const unlike = mutants.filter(({ id }) => EQUIVALENT[id] === undefined);
    const survivors = unlike.filter(({ name }) => !noticed.has(name));
    const wrong = mutants.filter(
      ({ id, name }) => EQUIVALENT[id] !== undefined && noticed.has(name),
    );
    for (const { name } of survivors) say(`unnoticed  ${name}`);
    for (const { name } of wrong) say(`noticed, though it is said to change nothing  ${name}`);

    const share = 1 - survivors.length / unlike.length;
    const equivalent = mutants.length - unlike.length;
    say(
      `${mutants.length} mutants in ${files.length} files, ${equivalent} of them change nothing; of the others ${unlike.length - survivors.length} were noticed: ${(share * 100).toFixed(1)} %`,
    );
    if (share < LEAST_SHARE || wrong.length > 0) process.exitCode = 1;
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
