import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { ConfigError } from "../config/fault.ts";
import type { LoadOptions } from "../config/load.ts";
import type { Settings } from "../model/settings.ts";
import { shortageOf } from "../model/shortage.ts";
import type { Call } from "./command.ts";
import type { Program } from "./program.ts";
import { unreadable } from "./unreadable.ts";

/** One byte more than a file may have: enough to know that it is too long. */
const READ_BYTES = 256 * 1024 + 1;
const GREATEST_REQUEST = 4 * 1024 * 1024;

/**
 * The settings of a configuration file. Relative paths in it start from its folder. Throws
 * `ConfigError`, also for a file that cannot be read.
 */
export async function readSettings(
  call: Call,
  file: string,
  { look = () => undefined, input, ...rules }: ReadOptions = {},
): Promise<Settings> {
  const { program, tools } = call;
  look(file);
  const [text, detectors, { loadSettings }] = await Promise.all([
    readText(file, input ?? createReadStream(file, { end: READ_BYTES - 1 })),
    tools.detectors(),
    import("../config/load.ts"),
  ]);
  return loadSettings({
    text,
    file,
    environment: program.environment,
    detectors,
    fileExists: (path) => {
      look(path);
      return existsSync(path);
    },
    readFile: (path) => {
      look(path);
      return readRequest(path);
    },
    resolvePath: (path) => resolve(dirname(file), path),
    logFormat: program.isTerminal.stdout ? "text" : "json",
    ...(await tools.expressions(text)),
    ...rules,
  });
}

export interface ReadOptions extends Pick<LoadOptions, "tlsFault"> {
  /** Hears of each file before it is looked at. */
  readonly look?: (path: string) => void;
  /** What the text is read from, in place of the file. */
  readonly input?: Program["stdin"];
}

/** What the rules need of gRPC: loaded only for a file that names expressions or descriptor sets. */
export type Expressions = Pick<LoadOptions, "celFault" | "methodsOf" | "callBreaches">;

async function readText(file: string, input: Program["stdin"]): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const chunk of input) {
      chunks.push(Buffer.from(chunk as Uint8Array));
      bytes += chunk.length;
      if (bytes >= READ_BYTES) break;
    }
  } catch (thrown) {
    const found = `a file that cannot be read (${unreadable(thrown)})`;
    const allowed = "a readable YAML file";
    const fault = { file, line: 1, column: 1, path: "(file)", found, allowed };
    throw new ConfigError([fault], shortageOf(thrown));
  }
  return Buffer.concat(chunks).toString("utf8");
}

function readRequest(file: string): string {
  if (statSync(file).size > GREATEST_REQUEST) throw new RangeError(`${file} is too long`);
  return readFileSync(file, "utf8");
}
