import { on } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { agentTools } from "./cli/agent-tools.ts";
import { runCli } from "./cli/cli.ts";
import type { Program } from "./cli/program.ts";
import { systemClock, systemRandom } from "./schedule/clock.ts";

/**
 * What the image's command line gives V8 (the Dockerfile says why), for a `run` by plain `node`. Set after
 * the start: code caches, those of Node's own modules among them, hold only for the flags that made them.
 */
const MEMORY_FIRST = [
  "optimize-for-size",
  "no-opt",
  "no-maglev",
  "no-sparkplug",
  "liftoff-only",
  "bytecode-old-age=2",
];

/** Filled in by the build (.ci/build.mjs) from package.json. */
declare const __VERSION__: string;

/**
 * The program: argv in, exit code out. Nothing else touches the process (but for the demo's children),
 * so that everything below runs in a test. The exit code is set, not forced: output is flushed first.
 */
const ending = new AbortController();
for (const name of ["SIGTERM", "SIGINT"] as const) {
  process.on(name, () => {
    if (ending.signal.aborted) process.exit(130); // Asked twice: at once.
    ending.abort(name);
  });
}
// A reader that went away (`| head`) is no fault of ours; the daemon works on without its log.
const isDaemon = process.argv[2] === "run";
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", () => {
    if (!isDaemon) process.exit(0);
  });
}

const startedAt = systemClock.now() - process.uptime() * 1000;
const file = fileURLToPath(import.meta.url);
const program: Program = {
  argv: process.argv.slice(2),
  environment: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  stdin: process.stdin,
  isTerminal: {
    stdout: process.stdout.isTTY === true,
    stderr: process.stderr.isTTY === true,
  },
  ...(process.stdout.isTTY === true ? { columns: process.stdout.columns } : {}),
  version: __VERSION__,
  node: process.version,
  file,
  askApart: async (words) => (await import("./cli/apart.ts")).askApart(file, words),
  ...(process.send === undefined ? {} : { tellParent }),
  protoDirectory: fileURLToPath(new URL("../../proto", import.meta.url)),
  ...(process.stdin.isTTY === true ? { keys } : {}),
  clock: systemClock,
  random: systemRandom,
  signal: ending.signal,
  onHangup(listener) {
    process.on("SIGHUP", listener);
    return () => void process.off("SIGHUP", listener);
  },
  readPage: async (code) => {
    if (!/^[a-z0-9-]+$/.test(code)) return undefined;
    const page = new URL(`../../docs/findings/${code}.md`, import.meta.url);
    return readFile(page, "utf8").catch(() => undefined);
  },
  favourMemory: () => {
    for (const flag of MEMORY_FIRST) setFlagsFromString(`--${flag}`);
  },
  cpuMs,
  readProcess: () => ({
    cpuSeconds: cpuMs() / 1_000,
    startedAt,
    ...readMemory(),
    ...readDescriptors(),
  }),
};

process.exitCode = await runCli(program, agentTools);
if (ending.signal.aborted || isDaemon) process.exit();

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** The keys of the terminal, unechoed; Ctrl-C is the signal that it is elsewhere. */
async function* keys(signal: AbortSignal): AsyncGenerator<string> {
  const { stdin } = process;
  stdin.setRawMode(true);
  try {
    for await (const chunk of on(stdin, "data", { signal })) {
      const text = String(chunk[0]);
      if (text.includes("\u0003")) process.kill(process.pid, "SIGINT");
      // An arrow or the like is one key.
      else if (text.startsWith("\u001B")) yield text;
      else yield* text;
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
  }
}

/** Tells the process that started this one, and resolves when that hangs up, or is gone. */
function tellParent(message: unknown): Promise<void> {
  return new Promise((resolve) => {
    process.once("disconnect", resolve);
    process.send?.(message, (error: Error | null) => {
      if (error !== null) resolve();
    });
  });
}

/** Resident memory; nothing where /proc cannot be read, for which Node throws. */
function readMemory(): { readonly residentBytes?: number } {
  try {
    return { residentBytes: process.memoryUsage.rss() };
  } catch {
    return {};
  }
}

/** Open and permitted file descriptors; nothing where there is no /proc. */
function readDescriptors(): { readonly openFds?: number; readonly maxFds?: number } {
  try {
    const limits = readFileSync("/proc/self/limits", "utf8");
    const maxFds = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1]);
    return { openFds: readdirSync("/proc/self/fd").length, maxFds };
  } catch {
    return {};
  }
}
