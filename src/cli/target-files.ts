import { access, constants } from "node:fs/promises";
import type { Fault } from "../config/fault.ts";
import type { Arguments } from "./flag.ts";
import { unreadable } from "./unreadable.ts";

const FILES = ["cacert", "cert", "key"] as const;

/** The files of `run --target` that cannot be read now, as faults. */
export async function unreadableFiles({ texts }: Arguments): Promise<readonly Fault[]> {
  const looked = FILES.map(async (name) => {
    const file = texts[name];
    return file === undefined ? [] : faultOf(name, file);
  });
  return (await Promise.all(looked)).flat();
}

async function faultOf(name: string, file: string): Promise<readonly Fault[]> {
  try {
    await access(file, constants.R_OK);
    return [];
  } catch (thrown) {
    const found = `a file that cannot be read (${unreadable(thrown)})`;
    return [{ file, line: 1, column: 1, path: `--${name}`, found, allowed: "a file" }];
  }
}

/** What is left to expect without any of the files: TLS, whoever vouches for it. */
export function withoutFiles(given: Arguments): Arguments {
  const texts = Object.fromEntries(
    Object.entries(given.texts).filter(([name]) => !FILES.some((file) => file === name)),
  );
  return { ...given, texts, switches: new Set([...given.switches, "tls"]) };
}
