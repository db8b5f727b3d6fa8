import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { createLogPipe } from "./log-pipe.ts";
import type { NetworkNamespace } from "./network-namespace.ts";
import { twoFreePorts } from "./ports.ts";

/** A finding as `/findings` prints it; the parts that tests look at. */
export interface PrintedFinding {
  readonly code: string;
  readonly severity: string;
  readonly target: string;
  readonly subject: Readonly<Record<string, string>>;
  readonly summary: string;
  readonly firstSeen: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly consequences?: readonly string[];
}

export interface PrintedFindings {
  readonly targets: readonly {
    readonly name: string;
    readonly state: string;
    readonly epoch: number;
  }[];
  readonly active: readonly PrintedFinding[];
  readonly pending: readonly PrintedFinding[];
  readonly recent: readonly PrintedFinding[];
  readonly suppressed: readonly (PrintedFinding & { readonly because: string })[];
  readonly unjudged: readonly {
    readonly target: string;
    readonly code: string;
    readonly because: string;
  }[];
}

/** The built agent in a process of its own, as its user runs it. */
export interface RunningAgent {
  readonly listen: string;
  readonly admin: string;
  readonly pid: number;
  /** Every line of its log, parsed. */
  readonly log: readonly Readonly<Record<string, unknown>>[];
  /** Reads on where `stuck` left off. */
  readLog(): void;
  findings(): Promise<PrintedFindings>;
  metrics(): Promise<string>;
  /**
   * Resolves when the active codes at warning or above are exactly these (`code` or `code@target`), in
   * any order; rejects after three minutes with what was seen instead.
   */
  active(codes: readonly string[]): Promise<PrintedFindings>;
  /** Watches for so long that the active codes at warning or above stay exactly these. */
  stays(codes: readonly string[], ms: number): Promise<PrintedFindings>;
  /** Watches for so long that nothing at warning or above becomes active. */
  staysQuiet(ms: number): Promise<PrintedFindings>;
  /** Swaps its configuration file, as an editor does. */
  configure(configuration: string): void;
  /** SIGTERM; resolves with the exit code, once its last line is in the log. */
  stop(): Promise<number | null>;
}

/** What was built: the file that node is given. */
export const MAIN = fileURLToPath(new URL("../../dist/lib/bin/main.js", import.meta.url));
const OUTPUTS = ["pipe", "inherit"] as const;
const DEFAULT_PORTS = [19_464, 19_465] as const;
const POLL_MS = 200;
const PATIENCE_MS = 180_000;

/** Starts `run` with this configuration, and listeners of its own. */
export async function startRunningAgent(
  configuration: string,
  options: {
    readonly environment?: Readonly<Record<string, string>>;
    readonly node?: readonly string[];
    /** Default: the one that was built. */
    readonly main?: string;
    /** Default: the test's own network. */
    readonly network?: NetworkNamespace;
    /** What makes its surroundings and then becomes it: `prlimit --nofile=30`. */
    readonly prefix?: readonly string[];
    /** Both outputs go to a pipe that is full, or that nobody has open any more. Default: its log is read. */
    readonly reader?: "stuck" | "gone";
    readonly flags?: readonly string[];
    /** `default`: where it listens when nobody tells it; for a network of its own. */
    readonly listeners?: "default";
    /** A configuration file that the test keeps itself. Default: one that `configure` swaps. */
    readonly file?: string;
  } = {},
): Promise<RunningAgent> {
  const { network, main = MAIN, node = [], prefix = [], flags = [] } = options;
  const [listenPort, adminPort] =
    options.listeners === "default" ? DEFAULT_PORTS : await twoFreePorts();
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
  const file = options.file ?? join(folder, "config.yaml");
  const loopback = network?.loopback === "::1" ? "[::1]" : "127.0.0.1";
  const listen = `${loopback}:${listenPort}`;
  const admin = `${loopback}:${adminPort}`;
  const configure = (text: string) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  if (options.file === undefined) configure(configuration);
  const served = options.listeners === "default" ? [] : ["--listen", listen, "--admin", admin];
  const words = ["run", "--config", file, ...served, ...flags];
  const line = [...prefix, process.execPath, ...node, main, ...words];
  const [program = "", ...argv] = [...(network?.prefix ?? []), ...line];
  const pipe = options.reader && createLogPipe(folder, options.reader);
  const child = spawn(program, argv, {
    stdio: ["ignore", ...(pipe === undefined ? OUTPUTS : [pipe.writeEnd, pipe.writeEnd])],
    env: { ...process.env, ...options.environment },
  });
  pipe?.started();
  const log: Record<string, unknown>[] = [];
  const hear = (line: string) => void log.push(JSON.parse(line));
  const lastLine = child.stdout && allLines(child.stdout, hear);

  const get = async (url: string) => {
    if (network !== undefined) return network.get(url);
    // A connection each: one that is kept may be closed by the server at the very moment of its use.
    const headers = { connection: "close" };
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(30_000) });
    if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
    return response.text();
  };
  const findings = async () => JSON.parse(await get(`http://${admin}/findings`)) as PrintedFindings;
  // Both listeners: one whose port was taken meanwhile comes a little later.
  await until(() => Promise.all([get(`http://${listen}/-/healthy`), findings()]), child);
  const stays = async (codes: readonly string[], ms: number) => {
    const end = performance.now() + ms;
    let now = await findings();
    while (performance.now() < end) {
      await delay(POLL_MS);
      now = await findings();
      if (!isExactly(now, codes)) throw new Error(`no longer ${codes.join()}: ${told(now)}`);
    }
    return now;
  };

  return {
    listen,
    admin,
    pid: child.pid ?? 0,
    log,
    findings,
    readLog: () => pipe?.read(hear),
    metrics: () => get(`http://${listen}/metrics`),
    async active(codes) {
      const end = performance.now() + PATIENCE_MS;
      let now = await findings();
      while (!isExactly(now, codes)) {
        if (performance.now() > end) throw new Error(`never just ${codes.join()}: ${told(now)}`);
        await delay(POLL_MS);
        now = await findings();
      }
      return now;
    },
    stays,
    staysQuiet: (ms) => stays([], ms),
    configure,
    async stop() {
      if (child.exitCode !== null) return child.exitCode;
      const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      const code = await ended;
      await lastLine;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

/** Resolves when all was heard that was ever written. */
function allLines(input: Readable, hear: (line: string) => void): Promise<void> {
  const lines = createInterface({ input }).on("line", hear);
  return new Promise((resolve) => {
    lines.once("close", () => resolve());
  });
}

function isExactly(now: PrintedFindings, codes: readonly string[]): boolean {
  const isQualified = codes.some((code) => code.includes("@"));
  const names = loud(now)
    .filter(({ code }) => !isExcused(code))
    .map(({ code, target }) => (isQualified ? `${code}@${target}` : code));
  return names.toSorted().join() === codes.toSorted().join();
}

/** The agent may say that it is starved while more wants to run than the machine of the tests can. */
export function isExcused(code: string): boolean {
  return code === "agent-overloaded" && (loadavg()[0] ?? 0) > availableParallelism();
}

function loud({ active }: PrintedFindings): readonly PrintedFinding[] {
  return active.filter(({ severity }) => severity !== "info");
}

/** For a failed test: what is there, and what was just before. */
function told(now: PrintedFindings): string {
  const { pending, suppressed, recent } = now;
  return JSON.stringify({ active: loud(now), pending, suppressed, recent }, undefined, 1);
}

/** Resolves when the attempt does. */
async function until(attempt: () => Promise<unknown>, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the agent ended with ${child.exitCode}`);
    const isDone = await attempt().then(
      () => true,
      () => false,
    );
    if (isDone) return;
    await delay(50);
  }
}
