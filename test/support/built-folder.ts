import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Ended {
  /** Of the process; `null`: a signal ended it. */
  readonly exit: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** `dist/`, copied to where no node_modules is in reach: as the image and a release hold it. */
export interface BuiltFolder {
  readonly folder: string;
  readonly main: string;
  readonly protoDirectory: string;
  /** Runs one command line to its end. */
  run(...argv: readonly string[]): Promise<Ended>;
  remove(): void;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

export function copyBuiltFolder(): BuiltFolder {
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-built-"));
  cpSync(join(ROOT, "dist"), folder, { recursive: true });
  cpSync(join(ROOT, "package.json"), join(folder, "package.json"));
  for (let above = folder; above !== dirname(above); above = dirname(above))
    if (existsSync(join(above, "node_modules")))
      throw new Error(`${above}/node_modules is in reach`);
  const main = join(folder, "lib/bin/main.js");
  return {
    folder,
    main,
    protoDirectory: join(folder, "proto"),
    run: (...argv) =>
      new Promise((resolve) => {
        const options = { cwd: folder, env: { PATH: process.env["PATH"], TZ: "UTC" } };
        const child = execFile(
          process.execPath,
          [main, ...argv],
          options,
          (_error, stdout, stderr) => resolve({ exit: child.exitCode, stdout, stderr }),
        );
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
