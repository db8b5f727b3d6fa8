import { statSync } from "node:fs";
import { ConfigError, type Fault } from "../config/fault.ts";
import type { Settings } from "../model/settings.ts";
import type { Call } from "./command.ts";
import { readSettings } from "./read-settings.ts";

/** What a configuration file said. Plain data: it goes from one process to another. */
export type Reading = (
  | { readonly settings: Settings }
  | { readonly faults: readonly Fault[]; readonly shortage?: string }
) & {
  /** How each file that was looked at stood just before that. */
  readonly stood: readonly (readonly [path: string, stamp: string])[];
  /** None of them was written shortly before: a further write will show in its stamp. */
  readonly isSettled: boolean;
};

/** Greater than the steps in which any file system tells times. */
const SETTLED_MS = 2_000;

/** Reads a configuration file here and now. */
export async function takeReading(call: Call, file: string): Promise<Reading> {
  const stood = new Map<string, string>();
  let youngestMs = 0;
  const look = (path: string) => {
    const [stamp, writtenMs] = stampOf(path);
    youngestMs = Math.max(youngestMs, writtenMs);
    if (!stood.has(path)) stood.set(path, stamp);
  };
  const { clock } = call.program;
  const now = clock.shown(clock.now());
  const seen = () => ({ stood: [...stood], isSettled: youngestMs < now - SETTLED_MS });
  try {
    const settings = await readSettings(call, file, { look });
    return { settings, ...seen() };
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) throw thrown;
    const { faults, shortage } = thrown;
    if (shortage === undefined) return { faults, ...seen() };
    return { faults, shortage, ...seen(), isSettled: false }; // Next time it may be read.
  }
}

/**
 * For the daemon: the settings of a file, again and again. Throws `ConfigError`.
 *
 * It is read in a process of its own, because what that takes (YAML, schemas, CEL) would stay in the
 * daemon for good, and because a long file would block it; here, where no such process can be had.
 * While every file that was looked at stands as it stood, what it said is said again.
 */
export function createSettingsReader(call: Call, file: string): () => Promise<Settings> {
  let last: Reading | undefined;
  return async () => {
    if (last === undefined || !stands(last)) last = await readApart(call, file);
    if ("faults" in last) throw new ConfigError(last.faults, last.shortage);
    return last.settings;
  };
}

async function readApart(call: Call, file: string): Promise<Reading> {
  const { askApart } = call.program;
  if (askApart === undefined) return takeReading(call, file);
  try {
    return (await askApart(["read-settings", file])) as Reading;
  } catch {
    return takeReading(call, file); // It costs memory, and says the same.
  }
}

function stands({ stood, isSettled }: Reading): boolean {
  return isSettled && stood.every(([path, stamp]) => stampOf(path)[0] === stamp);
}

/** What changes with a file's content, and when it was last written; 0 for one that is not to be seen. */
function stampOf(path: string): readonly [stamp: string, writtenMs: number] {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs, ctimeMs } = statSync(path, { bigint: true });
    return [[dev, ino, size, mtimeNs, ctimeNs].join(":"), Number(ctimeMs)];
  } catch (thrown) {
    return [(thrown as NodeJS.ErrnoException).code ?? "unknown", 0];
  }
}
