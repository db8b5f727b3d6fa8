import { existsSync, mkdirSync, rmdirSync, writeFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

/** A cgroup of one test; needs root. */
export interface Cgroup {
  /** A share of one processor, in periods of 100 ms. */
  limitCpu(share: number): void;
  limitMemory(bytes: number): void;
  /** What `startRunningAgent` takes: the program starts in the group. */
  readonly prefix: readonly string[];
  /** Once no process is left in it. */
  remove(): Promise<void>;
}

const ROOT = "/sys/fs/cgroup";
const PERIOD_US = 100_000;

/** Of the unified hierarchy where the machine has one, else of v1's two. Source: cgroups(7). */
export function addCgroup(name: string): Cgroup {
  const isUnified = existsSync(`${ROOT}/cgroup.controllers`);
  const [cpu, memory] = isUnified
    ? ([`${ROOT}/${name}`, `${ROOT}/${name}`] as const)
    : ([`${ROOT}/cpu/${name}`, `${ROOT}/memory/${name}`] as const);
  if (isUnified) writeFileSync(`${ROOT}/cgroup.subtree_control`, "+cpu +memory");
  const folders = [...new Set([cpu, memory])];
  for (const folder of folders) mkdirSync(folder, { recursive: true });
  const enter = folders.map((folder) => `echo $$ > ${folder}/cgroup.procs`).join(" && ");
  return {
    limitCpu(share) {
      const quota = String(Math.round(share * PERIOD_US));
      if (isUnified) writeFileSync(`${cpu}/cpu.max`, `${quota} ${PERIOD_US}`);
      else writeFileSync(`${cpu}/cpu.cfs_quota_us`, quota);
    },
    limitMemory(bytes) {
      writeFileSync(`${memory}/memory.${isUnified ? "max" : "limit_in_bytes"}`, String(bytes));
    },
    prefix: ["sh", "-c", `${enter} && exec "$@"`, "sh"],
    async remove() {
      for (const folder of folders) {
        while (!isRemoved(folder)) await delay(50);
      }
    },
  };
}

function isRemoved(folder: string): boolean {
  try {
    rmdirSync(folder);
    return true;
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code === "EBUSY") return false;
    throw thrown;
  }
}
