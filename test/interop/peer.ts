import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One answer of a peer: a line of JSON. */
type PeerAnswer = Readonly<Record<string, unknown>>;

/** An implementation that has a program in this folder. */
export type Implementation = "go" | "node" | "java" | "python";

/** A program of another gRPC implementation, driven by lines on its standard input. */
export interface Peer {
  /** Its first line: where it listens. */
  readonly ready: PeerAnswer;
  readonly pid: number;
  /** Resolves with the answer; rejects when the peer says that the command failed. */
  command(line: string): Promise<PeerAnswer>;
  /** The end of what its libraries wrote to its standard error. */
  logged(): string;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** All of them; `.ci/run --peers` names fewer. */
export const IMPLEMENTATIONS = (process.env["GRPC_DOCTOR_PEERS"] ?? "go,node,java,python").split(
  ",",
) as readonly Implementation[];

const NODE_PROGRAM = fileURLToPath(new URL("node/main.mjs", import.meta.url));
const PYTHON_PROGRAM = fileURLToPath(new URL("python/main.py", import.meta.url));
const CACHE = process.env["GRPC_DOCTOR_CACHE"] ?? join(homedir(), ".cache/grpc-doctor");

const MOST_LOGGED = 16_384;

interface Waiter {
  resolve(answer: PeerAnswer): void;
  reject(error: Error): void;
}

/** The file of a program in Go that is built; a missing one fails the test that needs it. */
export function peerBinary(name: string): string {
  return builtFile(join("bin", name));
}

/** A file that `.ci/peers.sh` built. */
export function builtFile(path: string): string {
  const file = join(CACHE, path);
  if (!existsSync(file)) throw new Error(`no ${file}: .ci/peers.sh builds it`);
  return file;
}

/** Command lines, ready for the peer's own words. */
const PROGRAMS: Readonly<Record<Implementation, () => readonly [string, ...(readonly string[])]>> =
  {
    go: () => [peerBinary("go")],
    node: () => [process.execPath, NODE_PROGRAM],
    java: () => {
      const classes = `${builtFile("java/peer.jar")}:${join(CACHE, "java/lib/*")}`;
      const shared = `-XX:SharedArchiveFile=${builtFile("java/peer.jsa")}`;
      // Many at once on few processors: one compiler, one collector's thread.
      const small = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"];
      return ["java", shared, ...small, "-cp", classes, "peer.Main"];
    },
    python: () => [builtFile("python/bin/python"), PYTHON_PROGRAM],
  };

/** What their libraries want to know beside. */
const ENVIRONMENT = {
  // grpc-js asks the name server of its target only with the resolver of its own.
  GRPC_NODE_USE_ALTERNATIVE_RESOLVER: "true",
  // Nothing is written beside the sources.
  PYTHONDONTWRITEBYTECODE: "1",
};

/**
 * Starts a peer and resolves when it has said where it listens. A prefix makes its surroundings, as
 * those of a network namespace, and then becomes it.
 */
export async function startPeer(
  name: Implementation,
  flags: readonly string[],
  prefix: readonly string[] = [],
): Promise<Peer> {
  const [file = "", ...words] = [...prefix, ...PROGRAMS[name](), ...flags];
  const child = spawn(file, words, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...ENVIRONMENT },
  });
  let logged = "";
  child.stderr.on("data", (chunk: Buffer) => {
    logged = (logged + String(chunk)).slice(-MOST_LOGGED);
  });
  const waiting: Waiter[] = [];
  createInterface({ input: child.stdout }).on("line", (line) =>
    waiting.shift()?.resolve(JSON.parse(line)),
  );
  const next = () =>
    new Promise<PeerAnswer>((resolve, reject) => {
      if (child.exitCode === null && child.signalCode === null) waiting.push({ resolve, reject });
      else reject(hasEnded());
    });
  const hasEnded = () => new Error(`${name} ${flags.join(" ")}: it has ended\n${logged}`);
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void ended.then(() => {
    for (const { reject } of waiting) reject(hasEnded());
  });
  const ready = await next();
  return {
    ready,
    pid: child.pid ?? 0,
    async command(line) {
      const answer = next();
      child.stdin.write(`${line}\n`);
      const { error, ...rest } = await answer;
      if (typeof error === "string") throw new Error(`${name}: ${line}: ${error}`);
      return rest;
    },
    logged: () => logged,
    signal: (signal) => child.kill(signal),
    async stop() {
      child.stdin.end();
      child.kill("SIGKILL");
      await ended;
    },
  };
}
