import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

const PURE = [
  "model",
  "store",
  "detectors",
  "findings",
  "config",
  "contract",
  "app-metrics",
  "inject",
  "replay",
];
/** They look at their own process (its memory, its timers, whether it lives on) or last long: a process each, first. */
const ALONE = [
  "test/main/built-folder.test.ts",
  "test/grpc/{client,framing,keep-behind,watched-socket}.test.ts",
  "test/host/self.test.ts",
  "test/schedule/clock.test.ts",
  "test/sources/probe.test.ts",
];
/** Breaks real peers and writes what was seen into `test/snapshots/`. */
const TAKES = "test/replay/take.test.ts";

/** One more than there are processors: some tests wait, for a time to pass or for a process to start. */
const WORKERS = availableParallelism() + 1;

/** A folder for a report of each run, which `.ci/run` counts. */
const RESULTS = process.env["GRPC_DOCTOR_RESULTS"];
const reporters = RESULTS === undefined ? ["default"] : ["default", "json"];

/** Where vitest keeps how long each file took: the longest begin first, and none is waited for alone at the end. */
const CACHE = process.env["GRPC_DOCTOR_CACHE"];

/** Real time on a machine that others share: what it spoiled is played once more, and fails if it fails twice. */
const ONCE_MORE = { retry: 1 } as const;

/** `npm test` is pure and wire; the others are scripts of their own (CONTRIBUTING.md). */
export default defineConfig({
  ...(CACHE === undefined ? {} : { cacheDir: CACHE }),
  oxc: { target: "es2023" },
  test: {
    root: new URL("..", import.meta.url).pathname,
    reporters,
    ...(RESULTS === undefined ? {} : { outputFile: { json: `${RESULTS}/${process.pid}.json` } }),
    projects: [
      {
        test: {
          name: "pure",
          include: PURE.map((folder) => `test/${folder}/**/*.test.ts`),
          exclude: [TAKES],
          isolate: false,
          maxWorkers: WORKERS,
        },
      },
      {
        test: { name: "alone", include: ALONE, testTimeout: 15_000, maxWorkers: WORKERS },
      },
      {
        test: {
          name: "wire",
          include: ["test/**/*.test.ts"],
          exclude: [
            ...PURE.map((folder) => `test/${folder}/**`),
            "test/{scenarios,interop,hard,hostile,soak,bench,kube,load}/**",
            TAKES,
            ...ALONE,
          ],
          // Files share a process, one after the other: loading the agent again for each took half of the time.
          isolate: false,
          testTimeout: 15_000,
          maxWorkers: WORKERS,
        },
      },
      {
        test: {
          name: "scenario",
          include: ["test/scenarios/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 60_000,
          ...ONCE_MORE,
          // Agents and what they watch mostly wait; a world of the demo is five processes.
          maxConcurrency: 6,
          maxWorkers: 3,
        },
      },
      {
        test: {
          name: "interop",
          include: ["test/interop/**/*.test.ts"],
          testTimeout: 400_000,
          ...ONCE_MORE,
          // Agents and peers of four languages mostly wait: twenty tests at a time take two processors
          // half of their time. Thirty do not start in time.
          maxWorkers: 3,
          maxConcurrency: 6,
        },
      },
      {
        test: {
          name: "hard",
          include: ["test/hard/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 60_000,
          ...ONCE_MORE,
          // They mostly wait; what is measured is compared with the same without us in the same
          // seconds, or allows for the load.
          maxWorkers: 3,
          maxConcurrency: 8,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: "hostile",
          include: ["test/hostile/**/*.test.ts"],
          testTimeout: 60_000,
          ...ONCE_MORE,
          // An agent and its servers each; the agents mostly wait.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "snapshots",
          include: [TAKES],
          testTimeout: 600_000,
          hookTimeout: 60_000,
          // Peers and one `check` each, which mostly wait.
          maxConcurrency: 20,
        },
      },
      {
        test: {
          name: "kube",
          include: ["test/kube/**/*.test.ts"],
          // One API server for all files.
          globalSetup: ["test/kube/the-cluster.ts"],
          testTimeout: 180_000,
          hookTimeout: 300_000,
          ...ONCE_MORE,
          maxWorkers: 2,
          maxConcurrency: 4,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: "load",
          include: ["test/load/**/*.test.ts"],
          testTimeout: 120_000,
          ...ONCE_MORE,
          // Generators and servers share two processors, and latencies are judged: nothing beside.
          maxWorkers: 1,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: "soak",
          include: ["test/soak/**/*.test.ts"],
          testTimeout: 86_400_000,
          ...ONCE_MORE,
          maxWorkers: 2,
        },
      },
    ],
  },
});
