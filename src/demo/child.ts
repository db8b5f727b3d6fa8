import { type ChildProcess, fork } from "node:child_process";
import type { ActorAnswer, ActorMessage } from "./actor.ts";
import type { CallersTask } from "./callers-process.ts";
import type { Command } from "./faults.ts";
import type { ServerTask } from "./server-process.ts";

/** How this very program is started again, as one of the actors. */
export interface Entry {
  readonly file: string;
  readonly arguments: readonly string[];
}

/** A child process, as its parent sees it. */
export interface Child {
  /** Resolves when the command took effect. */
  command(command: Command): Promise<void>;
  /** Sends without waiting: for a command that keeps the child from answering. */
  commandBlindly(command: Command): void;
  kill(): Promise<void>;
}

/** Starts an actor and resolves when it is up. */
export async function startChild(entry: Entry, task: ServerTask | CallersTask): Promise<Child> {
  const child = fork(entry.file, [...entry.arguments], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, GRPC_NODE_USE_ALTERNATIVE_RESOLVER: "true" },
  });
  const waiting = new Map<number, (answer: ActorAnswer) => void>();
  let lastId = 0;
  child.on("message", (answer: ActorAnswer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  });
  child.on("exit", (code, signal) => {
    const error = `the process ended (${signal ?? code})`;
    for (const [id, settle] of waiting) settle({ id, error });
    waiting.clear();
  });

  const answered = (id: number) =>
    new Promise<void>((resolve, reject) => {
      waiting.set(id, ({ error }) => (error === undefined ? resolve() : reject(new Error(error))));
    });
  const send = (message: ActorMessage) => child.send(message);

  const up = answered(0);
  send({ kind: "task", task });
  await up;
  return {
    command(command) {
      lastId += 1;
      const done = answered(lastId);
      send({ kind: "command", id: lastId, command });
      return done;
    },
    commandBlindly(command) {
      lastId += 1;
      send({ kind: "command", id: lastId, command });
    },
    kill: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  child.kill("SIGKILL");
  await ended;
}
