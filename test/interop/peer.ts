import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** One answer of a peer: a line of JSON. */
export type PeerAnswer = Readonly<Record<string, unknown>>;

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

const CACHE = process.env["GRPC_DOCTOR_CACHE"] ?? join(homedir(), ".cache/grpc-doctor");

/** The file of a peer that `.ci/run` has built; a missing one fails the test that needs it. */
export function peerBinary(name: string): string {
  const file = join(CACHE, "bin", name);
  if (!existsSync(file)) throw new Error(`no ${file}: .ci/run builds it`);
  return file;
}

/** Starts a peer and resolves when it has said where it listens. */
export async function startPeer(name: string, flags: readonly string[]): Promise<Peer> {
  const child = spawn(peerBinary(name), flags, { stdio: ["pipe", "pipe", "inherit"] });
  const waiting: ((answer: PeerAnswer) => void)[] = [];
  createInterface({ input: child.stdout }).on("line", (line) =>
    waiting.shift()?.(JSON.parse(line)),
  );
  const next = () => new Promise<PeerAnswer>((resolve) => waiting.push(resolve));
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
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
