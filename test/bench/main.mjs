import { cpus, loadavg } from "node:os";
import process from "node:process";
import { parseArgs } from "node:util";
import { cell } from "./figures.mjs";
import { channelz } from "./measures/channelz.mjs";
import { gracefulStop } from "./measures/graceful-stop.mjs";
import { latency } from "./measures/latency.mjs";
import { reaction } from "./measures/reaction.mjs";
import { scale } from "./measures/scale.mjs";
import { scrape } from "./measures/scrape.mjs";
import { starting } from "./measures/start.mjs";
import { growth, steady } from "./measures/steady.mjs";
import { commandLines } from "./nodes.mjs";
import { buildPeer } from "./peer.mjs";

/**
 * Measures what docs/performance.md promises, on loopback, and prints a table: the agent with the
 * image's command line and with plain `node`, each against an empty process of the same Node in the
 * same run. Nothing here fails a build: the machine decides half of every figure.
 *
 *   npm run bench                        some five minutes
 *   npm run bench -- --quick             under a minute: memory after seconds, one run of the rest
 *   npm run bench -- --settle 180        memory and processor after so many seconds of work
 *   npm run bench -- --only start,scrape
 *   npm run bench -- --minutes 60        only the growth of memory at 25 probes a second
 *   npm run bench -- --scale 10          the tables of docs/scale.md, from ten minutes of work
 */
const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    settle: { type: "string" },
    minutes: { type: "string" },
    scale: { type: "string" },
  },
});
const { quick } = options;
const settleMs = Number(options.settle ?? (quick ? 8 : 60)) * 1000;

/** Those of one line run at the same time with both command lines: they wait more than they work. */
const MEASURES = {
  steady: {
    together: true,
    run: (line) => steady(line, { settleMs, windowMs: quick ? 8_000 : 60_000 }),
  },
  start: { run: (line) => starting(line, { runs: quick ? 3 : 11 }) },
  latency: { run: (line) => latency(line, { seconds: quick ? 4 : 15 }) },
  reaction: {
    together: true,
    // The log tells of no more than twenty changes in a minute, the first ones among them.
    run: (line) => reaction(line, { runs: quick ? 4 : 15, kills: quick ? 1 : 3 }),
  },
  channelz: {
    run: (line) => channelz(line, { warmMs: quick ? 1_000 : 5_000, seconds: quick ? 3 : 20 }),
  },
  scrape: {
    run: (line) => scrape(line, { warmMs: quick ? 1_000 : 5_000, runs: quick ? 10 : 100 }),
  },
  graceful: { together: true, run: (line) => gracefulStop(line, { runs: quick ? 1 : 5 }) },
};

buildPeer();
const lines = commandLines();
const chosen =
  options.minutes === undefined
    ? choose(options.only)
    : [{ together: true, run: (line) => growth(line, { minutes: Number(options.minutes) }) }];

console.log(`${cpus().length} × ${cpus()[0].model}, load average ${loadavg()[0].toFixed(1)}\n`);
if (options.scale !== undefined) {
  const [image] = lines;
  for (const row of await scale(image, { minutes: Number(options.scale) })) console.log(row);
  process.exit();
}
console.log(`| what | budget | ${lines.map(({ name }) => name).join(" | ")} |`);
console.log(`|---|---|${lines.map(() => "---|").join("")}`);
for (const measure of chosen) print(await runAll(measure));
console.log(`\n${Math.round(process.uptime())} s; load average ${loadavg()[0].toFixed(1)}`);

function choose(only) {
  const names = only?.split(",") ?? Object.keys(MEASURES);
  const unknown = names.find((name) => !(name in MEASURES));
  if (unknown !== undefined)
    throw new Error(`no measure ${unknown}: ${Object.keys(MEASURES).join()}`);
  return names.map((name) => MEASURES[name]);
}

/** The rows of each command line. */
async function runAll({ run, together = false }) {
  if (together) return Promise.all(lines.map(run));
  const results = [];
  for (const line of lines) results.push(await run(line));
  return results;
}

function print([first, ...others]) {
  for (const [at, { what, unit, budget }] of first.entries()) {
    const cells = [first, ...others].map((rows) => cell(rows[at]));
    const allowed = budget === undefined ? "" : `≤ ${budget} ${unit}`;
    console.log(`| ${what} | ${allowed} | ${cells.join(" | ")} |`);
  }
}
