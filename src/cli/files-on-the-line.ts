import { access, constants, readFile, stat } from "node:fs/promises";
import { compiledTypes } from "../config/compiled-types.ts";
import type { Target } from "../model/target.ts";
import { UsageError } from "./exit.ts";
import type { Arguments } from "./flag.ts";
import { unreadable } from "./unreadable.ts";

const TLS_FILES = ["cacert", "cert", "key"] as const;

/**
 * Looks at the files that connection flags and `-protoset` name, before anything is dialled: later
 * they would look like a failure of the server's. A pipe (`<(…)`) can be read once, so it is left to
 * who uses it. Throws `UsageError` with flag, file and reason.
 */
export async function refuseUnusableFiles(given: Arguments, target: Target): Promise<void> {
  const named = TLS_FILES.filter((name) => given.texts[name] !== undefined);
  const kinds: boolean[] = [];
  for (const name of named) kinds.push(await isRegular(given, name)); // the first that is at fault is named
  if (named.length > 0 && !kinds.includes(false)) await refuseMaterial(named, given, target);
  if (given.texts["protoset"] === undefined) return;
  refuseSource(given.texts["protoset"]);
  if (await isRegular(given, "protoset")) await readProtoset(given);
}

/** The bytes of `-protoset`, which are a whole descriptor set. */
export async function readProtoset(given: Arguments): Promise<Uint8Array> {
  const file = given.texts["protoset"] ?? "";
  refuseSource(file);
  const [bytes, { registryFromSet }] = await Promise.all([
    orUnreadable("protoset", file, () => readFile(file)),
    import("../grpc/descriptors.ts"),
  ]);
  try {
    registryFromSet(bytes);
  } catch {
    throw new UsageError(`-protoset ${file} is no descriptor set, or an incomplete one`);
  }
  return bytes;
}

function refuseSource(file: string): void {
  if (file.endsWith(".proto"))
    throw new UsageError(`-protoset takes ${compiledTypes(file)}, not ${file}`);
}

/** Throws where it is a folder, is not there or may not be read. */
function isRegular({ texts }: Arguments, name: string): Promise<boolean> {
  const file = texts[name] ?? "";
  return orUnreadable(name, file, async () => {
    await access(file, constants.R_OK);
    const seen = await stat(file);
    if (seen.isDirectory()) throw new UsageError(`-${name} ${file} is a folder`);
    return seen.isFile();
  });
}

async function orUnreadable<T>(name: string, file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    throw new UsageError(`-${name} ${file} cannot be read (${unreadable(thrown)})`);
  }
}

/** They can be read; whether they hold what they should is judged where the agent judges it. */
async function refuseMaterial(
  named: readonly string[],
  { texts }: Arguments,
  target: Target,
): Promise<void> {
  const { readCredentials } = await import("../grpc/credentials.ts");
  try {
    await readCredentials({ ...target, metadata: [] });
  } catch (thrown) {
    const written = named.map((name) => `-${name} ${texts[name]}`).join(" ");
    const cause = thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`${written} cannot be used: ${why}`);
  }
}
