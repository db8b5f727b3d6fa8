import { fork } from "node:child_process";

/** A machine with a twentieth of a core reads a file of 256 KiB in this time. */
const DEADLINE_MS = 30_000;

/**
 * Runs a hidden command of this very program in a process of its own, and resolves with what it tells
 * (`Program.tellParent`). What the command loads ends with that process. Rejects when there is no
 * process to be had, or when it tells nothing.
 */
export function askApart(file: string, words: readonly string[]): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const child = fork(file, [...words], {
      // Not ours: a child makes the outputs that it is given wait for their reader, for both of us.
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      timeout: DEADLINE_MS,
      killSignal: "SIGKILL",
    });
    child.once("message", (told) => {
      resolve(told);
      child.disconnect(); // It waits for that, and ends.
    });
    child.once("error", reject);
    child.once("exit", (code, signal) =>
      reject(new Error(`${words.join(" ")} ended with ${signal ?? code}`)),
    );
  });
}
