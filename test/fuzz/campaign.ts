import process from "node:process";
import { parentPort, workerData } from "node:worker_threads";
import fc from "fast-check";
import { PROPERTIES } from "./index.ts";
import type { Property } from "./property.ts";

/** What `main.mjs` tells this worker: which laws, and until when (epoch milliseconds). */
interface Order {
  readonly only: readonly string[] | undefined;
  readonly endMs: number;
}

/** Each law's turn: long enough to get past the trivial inputs, short enough that all get many. */
const TURN_MS = 5_000;
/** Processor time that no single input of these sizes may cost. */
const MOST_MS = 5_000;

const { only, endMs } = workerData as Order;
const chosen = PROPERTIES.filter(({ name }) => only === undefined || only.includes(name));
const broken = new Set<Property>();

while (Date.now() < endMs && broken.size < chosen.length) {
  for (const property of chosen) if (!broken.has(property)) await takeTurn(property);
}

/** One turn with a seed of its own; a law that broke is left alone until somebody has mended it. */
async function takeTurn(property: Property): Promise<void> {
  const { name, input } = property;
  const seed = Math.floor(Math.random() * 2 ** 32) | 0;
  const startedMs = performance.now();
  parentPort?.postMessage({ kind: "began", name, seed });
  const law = fc.asyncProperty(input, (value) => within(property, value));
  const details = await fc.check(law, {
    seed,
    numRuns: 1_000_000,
    interruptAfterTimeLimit: TURN_MS,
    markInterruptAsFailure: false,
  });
  const seconds = (performance.now() - startedMs) / 1000;
  parentPort?.postMessage({ kind: "ended", name, runs: details.numRuns, seconds });
  if (!details.failed || details.counterexample === null) return;
  broken.add(property);
  const [found] = details.counterexample;
  const error = details.errorInstance;
  const why =
    error instanceof Error ? (error.message.split("\n", 3).join(" ") ?? "") : String(error);
  const path = details.counterexamplePath;
  parentPort?.postMessage({
    kind: "broken",
    name,
    seed,
    path,
    input: found,
    why: why.slice(0, 500),
  });
}

async function within(property: Property, value: unknown): Promise<void> {
  const before = process.cpuUsage();
  await property.check(value);
  const { user, system } = process.cpuUsage(before);
  const tookMs = (user + system) / 1000;
  if (tookMs > MOST_MS) throw new Error(`took ${Math.round(tookMs)} ms of the processor`);
}
