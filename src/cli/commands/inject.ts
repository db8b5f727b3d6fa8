import { createReadStream } from "node:fs";
import { inject, uninject } from "../../inject/inject.ts";
import { ManifestError } from "../../inject/manifests.ts";
import { unifiedDiff } from "../../inject/unified-diff.ts";
import type { Call } from "../command.ts";
import { EXIT, UsageError } from "../exit.ts";
import { unreadable } from "../unreadable.ts";

/** Repository of the image that `npm run build` of this version is in. */
const IMAGE = "ghcr.io/grpc-doctor/grpc-doctor";

/** More than this is no manifest. */
const MOST_BYTES = 16 * 1024 * 1024;

/** Manifests in, manifests with the agent out; what was left alone, and why, goes to standard error. */
export async function run(call: Call): Promise<number> {
  const { program, given } = call;
  const [file = "-"] = given.positionals;
  const { image = `${IMAGE}:${program.version}`, mode = "native" } = given.texts;
  const defaults = { image, mode: modeFrom(mode) };
  const text = await readAll(file, file === "-" ? program.stdin : createReadStream(file));
  try {
    const done = given.switches.has("uninject") ? uninject(text) : inject(text, defaults);
    const isDiff = given.switches.has("diff");
    program.stdout.write(isDiff ? unifiedDiff(text, done.text, file) : done.text);
    for (const line of done.left) program.stderr.write(`left alone: ${line}\n`);
    return EXIT.fine;
  } catch (thrown) {
    return tellFaults(call, file, thrown);
  }
}

function tellFaults({ program }: Call, file: string, thrown: unknown): number {
  if (!(thrown instanceof ManifestError)) throw thrown;
  for (const { line, column, text } of thrown.faults)
    program.stderr.write(`${file}:${line}:${column}: ${text}\n`);
  return EXIT.usage;
}

function modeFrom(text: string): "native" | "classic" {
  if (text === "native" || text === "classic") return text;
  throw new UsageError(`--mode takes native or classic, not ${text}`);
}

async function readAll(file: string, input: AsyncIterable<Uint8Array | string>): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of input) {
      parts.push(Buffer.from(part as Uint8Array));
      bytes += part.length;
      if (bytes > MOST_BYTES) throw new UsageError(`${file} has more than ${MOST_BYTES} bytes`);
    }
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === undefined) throw thrown;
    throw new UsageError(`${file} cannot be read (${unreadable(thrown)})`);
  }
  return Buffer.concat(parts).toString("utf8");
}
