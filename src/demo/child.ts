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
  /** Resolves when it does its task; rejects when it ends before that. */
  readonly up: Promise<void>;
  /** Resolves when the command took effect; rejects when the process has ended, or ends before that. */
  command(command: Command): Promise<void>;
  /** Sends without waiting: for a command that keeps the child from answering. */
  commandBlindly(command: Command): void;
  kill(): Promise<void>;
}

/** Starts an actor. It is no part of the terminal's process group: Ctrl-C is for the parent alone. */
export function startChild(entry: Entry, task: ServerTask | CallersTask): Child {
  const child = fork(entry.file, [...entry.arguments], {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
    env: { ...process.env, GRPC_NODE_USE_ALTERNATIVE_RESOLVER: "true" },
    detached: true,
  });
  const waiting = new Map<number, (answer: ActorAnswer) => void>();
  let lastId = 0;
  const settle = (answer: ActorAnswer) => {
    waiting.get(answer.id)?.(answer);
    waiting.delete(answer.id);
  };
  const endAll = (error: string) => {
    for (const id of waiting.keys()) settle({ id, error });
  };
  child.on("message", settle);
  child.on("error", (error) => endAll(error.message));
  child.on("exit", (code, signal) => endAll(`the process ended (${signal ?? code})`));

  // With a function of its own, a message to a process that has ended is no event that ends ours.
  const send = (message: ActorMessage, id: number) =>
    child.send(message, (error) => {
      if (error !== null) settle({ id, error: "the process has ended" });
    });
  const ask = (message: ActorMessage, id: number) =>
    new Promise<void>((resolve, reject) => {
      waiting.set(id, ({ error }) => (error === undefined ? resolve() : reject(new Error(error))));
      send(message, id);
    });

  return {
    up: ask({ kind: "task", task }, 0),
    command(command) {
      lastId += 1;
      return ask({ kind: "command", id: lastId, command }, lastId);
    },
    commandBlindly(command) {
      lastId += 1;
      send({ kind: "command", id: lastId, command }, lastId);
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
