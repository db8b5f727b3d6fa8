import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";

/** A program that runs beside a test until the test ends it. */
export interface RunningProgram {
  /** All that it wrote. */
  readonly output: () => string;
  /** Resolves with the exit code after this signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

/** Starts it, and resolves when `isReady` says so; a program that ends before that rejects. */
export async function startProgram(
  line: readonly string[],
  isReady: (output: string) => boolean | Promise<boolean>,
): Promise<RunningProgram> {
  const [file = "", ...argv] = line;
  const child = spawn(file, argv, { stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  const keep = (chunk: Buffer) => void (output += String(chunk));
  child.stdout.on("data", keep);
  child.stderr.on("data", keep);
  let failed: Error | undefined;
  child.on("error", (error) => (failed = error));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  while (!(await isReady(output))) {
    if (failed !== undefined) throw failed;
    if (child.exitCode !== null) throw new Error(`${file} ended: ${output}`);
    await delay(100);
  }
  return {
    output: () => output,
    end(signal) {
      child.kill(signal);
      return ended;
    },
  };
}
