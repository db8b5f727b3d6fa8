import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** One answer of a peer: a line of JSON. */
type PeerAnswer = Readonly<Record<string, unknown>>;

/** An implementation that has a program in this folder. */
export type Implementation = "go" | "node";

/** A program of another gRPC implementation, driven by lines on its standard input. */
export interface Peer {
  /** Its first line: where it listens. */
  readonly ready: PeerAnswer;
  readonly pid: number;
  /** Resolves with the answer; rejects when the peer says that the command failed. */
  command(line: string): Promise<PeerAnswer>;
  signal(name: NodeJS.Signals): void;
  stop(): Promise<void>;
}

/** All of them; `.ci/run --peers` names fewer. */
export const IMPLEMENTATIONS = (process.env["GRPC_DOCTOR_PEERS"] ?? "go,node").split(
  ",",
) as readonly Implementation[];

const NODE_PROGRAM = fileURLToPath(new URL("node/main.mjs", import.meta.url));
const CACHE = process.env["GRPC_DOCTOR_CACHE"] ?? join(homedir(), ".cache/grpc-doctor");

interface Waiter {
  resolve(answer: PeerAnswer): void;
  reject(error: Error): void;
}

/** The file of a peer that `.ci/run` has built; a missing one fails the test that needs it. */
export function peerBinary(name: string): string {
  const file = join(CACHE, "bin", name);
  if (!existsSync(file)) throw new Error(`no ${file}: .ci/run builds it`);
  return file;
}

/** Starts a peer and resolves when it has said where it listens. */
export async function startPeer(name: Implementation, flags: readonly string[]): Promise<Peer> {
  const [file, ...program] =
    name === "node" ? [process.execPath, NODE_PROGRAM] : [peerBinary(name)];
  const child = spawn(file, [...program, ...flags], {
    stdio: ["pipe", "pipe", "inherit"],
    // grpc-js asks the name server of its target only with the resolver of its own.
    env: { ...process.env, GRPC_NODE_USE_ALTERNATIVE_RESOLVER: "true" },
  });
  const waiting: Waiter[] = [];
  createInterface({ input: child.stdout }).on("line", (line) =>
    waiting.shift()?.resolve(JSON.parse(line)),
  );
  const next = () =>
    new Promise<PeerAnswer>((resolve, reject) => {
      if (child.exitCode === null && child.signalCode === null) waiting.push({ resolve, reject });
      else reject(new Error(`${name} ${flags.join(" ")}: it has ended`));
    });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  void ended.then(() => {
    for (const { reject } of waiting) reject(new Error(`${name} ${flags.join(" ")}: it has ended`));
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
    signal: (signal) => child.kill(signal),
    async stop() {
      child.stdin.end();
      child.kill("SIGKILL");
      await ended;
    },
  };
}
