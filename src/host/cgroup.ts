import { readText } from "./text-file.ts";

/** Periods of the CPU bandwidth controller, cumulative; absent where no limit is set or none can be read. */
export interface CpuPeriods {
  readonly periods: number;
  readonly throttled: number;
}

const MAX_BYTES = 16 * 1024;
/** cgroup v1 says "no limit" with the greatest page-aligned number; a petabyte is none either. */
const NO_LIMIT_BYTES = 2 ** 50;

/**
 * Where the own cgroup's files lie: under its path, where the namespace of cgroups is the host's, else
 * at the root, which is what a container sees of itself. v2 first. Source: cgroups(7).
 */
const CPU_FILES = ["cpu.stat", "cpu/cpu.stat", "cpu,cpuacct/cpu.stat"];
const MEMORY_FILES = ["memory.max", "memory/memory.limit_in_bytes"];

/** Path of the own cgroup in the hierarchy of each controller, as /proc/self/cgroup says; "" = unknown. */
export interface OwnCgroup {
  readonly cpu: string;
  readonly memory: string;
}

export async function readCpuPeriods(root: string, path: string): Promise<CpuPeriods | undefined> {
  const text = (await firstText(root, path, CPU_FILES)) ?? "";
  const periods = /^nr_periods (\d+)$/m.exec(text)?.[1];
  const throttled = /^nr_throttled (\d+)$/m.exec(text)?.[1];
  if (periods === undefined || throttled === undefined) return undefined;
  return { periods: Number(periods), throttled: Number(throttled) };
}

/** The memory limit in bytes; `undefined` where there is none. */
export async function readMemoryLimit(root: string, path: string): Promise<number | undefined> {
  const text = (await firstText(root, path, MEMORY_FILES))?.trim() ?? "";
  const bytes = /^\d+$/.test(text) ? Number(text) : NO_LIMIT_BYTES;
  return bytes < NO_LIMIT_BYTES ? bytes : undefined;
}

/** In v1 each controller has a hierarchy of its own; what has none is in the unified one. */
export async function readOwnCgroup(procSelf: string): Promise<OwnCgroup> {
  const text = await readText(`${procSelf}/cgroup`, MAX_BYTES).catch(() => "");
  const lines = text.split("\n").map((line) => line.split(":"));
  const unified = lines.find(([id, controllers]) => id === "0" && controllers === "");
  const pathIn = (controller: string): string => {
    const own = lines.find(([, controllers]) => controllers?.split(",").includes(controller));
    const path = (own ?? unified)?.slice(2).join(":") ?? "";
    return path === "/" || path.includes("..") ? "" : path;
  };
  return { cpu: pathIn("cpu"), memory: pathIn("memory") };
}

async function firstText(
  root: string,
  path: string,
  files: readonly string[],
): Promise<string | undefined> {
  const candidates = files.flatMap((file) => {
    const slash = file.lastIndexOf("/");
    const own = `${file.slice(0, slash + 1)}${path.slice(1)}/${file.slice(slash + 1)}`;
    return path === "" ? [file] : [own, file];
  });
  for (const candidate of candidates) {
    const text = await readText(`${root}/${candidate}`, MAX_BYTES).catch(() => undefined);
    if (text !== undefined) return text;
  }
  return undefined;
}
