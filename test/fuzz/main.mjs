import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { build } from "esbuild";

/**
 * Tries the laws of `test/fuzz/` on inputs of random seeds, in turn, for as long as it is told:
 *
 *   npm run fuzz -- --minutes 60
 *   npm run fuzz -- --minutes 5 --only masked-texts,config-files
 *   npm run fuzz -- --minutes 60 --tally FILE     adds runs and seconds to those of earlier campaigns
 *
 * A broken law prints its seed and the smallest input that breaks it, and puts that input into
 * `test/corpus/<law>/`, where `npm test` tries it from then on: give the file a name and a sentence.
 * Exits 1 when one was found.
 */
const { values: options } = parseArgs({
  options: {
    minutes: { type: "string", default: "1" },
    only: { type: "string" },
    tally: { type: "string" },
  },
});

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
/** Two folders below the root, as the sources lie: paths that they make of their own hold. */
const bundle = join(root, ".cache/fuzz/campaign.mjs");
await build({
  entryPoints: [fileURLToPath(new URL("./campaign.ts", import.meta.url))],
  outfile: bundle,
  bundle: true,
  packages: "external",
  platform: "node",
  format: "esm",
  logLevel: "warning",
});

/** A turn that outlasts this has met an input that never ends. */
const STUCK_MS = 120_000;

const endMs = performance.now() + Number(options.minutes) * 60_000;
const tally = readTally();
const worker = new Worker(pathToFileURL(bundle), {
  workerData: { only: options.only?.split(","), endMs: performance.timeOrigin + endMs },
});
let turn = { name: "none", seed: 0 };
let stuck = setTimeout(tellStuck, STUCK_MS);
worker.on("message", (message) => {
  clearTimeout(stuck);
  stuck = setTimeout(tellStuck, STUCK_MS);
  if (message.kind === "began") turn = message;
  else if (message.kind === "ended") count(message);
  else tellBroken(message);
});
worker.on("error", (error) => {
  console.error(`${turn.name}, seed ${turn.seed}: ${error.stack}`);
  process.exitCode = 1;
});
worker.on("exit", () => {
  clearTimeout(stuck);
  print();
});

function count({ name, runs, seconds }) {
  const before = tally[name] ?? { runs: 0, seconds: 0, finds: 0 };
  tally[name] = { ...before, runs: before.runs + runs, seconds: before.seconds + seconds };
  if (options.tally !== undefined)
    writeFileSync(options.tally, `${JSON.stringify(tally, null, 2)}\n`);
}

function tellBroken({ name, seed, path, input, why }) {
  process.exitCode = 1;
  const folder = join(root, "test/corpus", name);
  mkdirSync(folder, { recursive: true });
  const file = join(folder, `found-${seed >>> 0}.json`);
  writeFileSync(file, `${JSON.stringify({ why, input }, null, 2)}\n`);
  console.error(`BROKEN ${name}: seed ${seed}, path ${path}\n  ${why}\n  kept in ${file}`);
  const before = tally[name] ?? { runs: 0, seconds: 0, finds: 0 };
  tally[name] = { ...before, finds: before.finds + 1 };
}

function tellStuck() {
  console.error(`STUCK ${turn.name}: seed ${turn.seed}, for more than ${STUCK_MS / 1000} s`);
  process.exitCode = 1;
  void worker.terminate();
}

function readTally() {
  try {
    return JSON.parse(readFileSync(options.tally ?? "", "utf8"));
  } catch {
    return {}; // the first campaign
  }
}

function print() {
  console.log("| law | runs | hours | broken |\n|---|---|---|---|");
  for (const [name, { runs, seconds, finds }] of Object.entries(tally))
    console.log(`| ${name} | ${runs} | ${(seconds / 3600).toFixed(2)} | ${finds} |`);
}
