import { execFileSync } from "node:child_process";
import { closeSync, constants, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A pipe of the kernel's, as the runtime of a container gives one, whose reader does no work. */
export interface LogPipe {
  /** For both outputs of a child. */
  readonly writeEnd: number;
  /** Once the child has its own: without ours it can notice that nobody reads. */
  started(): void;
  /** Reads on where a reader that stood still left off. */
  read(hear: (line: string) => void): void;
}

/** `stuck`: it is full, and nobody reads. `gone`: its reader has closed it. */
export function createLogPipe(folder: string, reader: "stuck" | "gone"): LogPipe {
  const path = join(folder, "log");
  execFileSync("mkfifo", [path]);
  const readEnd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const writeEnd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  if (reader === "stuck") fill(writeEnd);
  else closeSync(readEnd);
  return {
    writeEnd,
    started: () => closeSync(writeEnd),
    read(hear) {
      const input = new Socket({ fd: readEnd, readable: true, writable: false });
      createInterface({ input }).on("line", (line) => {
        if (line !== "") hear(line);
      });
    },
  };
}

/** With empty lines, until the kernel takes no more. */
function fill(fd: number): void {
  const lines = Buffer.alloc(4_096, "\n");
  try {
    for (;;) writeSync(fd, lines);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== "EAGAIN") throw thrown;
  }
}
