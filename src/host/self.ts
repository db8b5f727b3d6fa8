import { readdir } from "node:fs/promises";
import { getHeapStatistics } from "node:v8";
import type { AgentEvent } from "../model/event.ts";
import { present } from "../model/present.ts";
import { shortageOf } from "../model/shortage.ts";
import type { Clock } from "../model/time.ts";
import { type CpuPeriods, readCpuPeriods, readMemoryLimit, readOwnCgroup } from "./cgroup.ts";
import { startLoopLag } from "./loop-lag.ts";
import { readText } from "./text-file.ts";

export interface SelfOptions {
  readonly clock: Clock;
  /** Default `/sys/fs/cgroup`. */
  readonly cgroupRoot?: string;
  /** Default `/proc/self`. */
  readonly procSelf?: string;
}

export type SelfEvent = Extract<AgentEvent, { readonly kind: "self" }>;

export interface SelfWatch {
  /** The condition of the agent since the last call; asked every 15 s. */
  sampleSelf(): Promise<SelfEvent>;
  stop(): void;
}

const MAX_STATUS_BYTES = 16 * 1024;
const KIB = 1024;

/**
 * Watches the agent itself: how late its event loop is, whether its CPU limit held it back, how much
 * memory it uses. When one of them is bad, what we measured of others in that window is not believed.
 *
 * Source: Linux Documentation/admin-guide/cgroup-v2.rst (cpu.stat), proc_pid_status(5).
 */
export function watchSelf(options: SelfOptions): SelfWatch {
  const { clock, cgroupRoot = "/sys/fs/cgroup", procSelf = "/proc/self" } = options;
  const loop = startLoopLag(clock);
  let before: CpuPeriods | undefined;
  return {
    stop: loop.stop,
    async sampleSelf() {
      const { p99Ms, windowMs } = loop.take();
      const own = await readOwnCgroup(procSelf);
      const after = await readCpuPeriods(cgroupRoot, own.cpu);
      const throttledRatio = ratioOf(before, after);
      before = after;
      const limitBytes = await readMemoryLimit(cgroupRoot, own.memory);
      return {
        kind: "self",
        at: clock.now(),
        lagP99Ms: p99Ms,
        windowMs,
        ...present({ throttledRatio }),
        rssBytes: await readRssBytes(procSelf),
        ...present({ limitBytes, descriptorsRatio: await readDescriptorsRatio(procSelf) }),
      };
    },
  };
}

/** The share of periods in which we were held back; the first sample has nothing to compare with. */
function ratioOf(before: CpuPeriods | undefined, after: CpuPeriods | undefined) {
  if (before === undefined || after === undefined) return undefined;
  const periods = after.periods - before.periods;
  return periods > 0 ? Math.max(0, after.throttled - before.throttled) / periods : 0;
}

/** The share of the permitted file descriptors that is in use; when there is none left to look with, 1. */
async function readDescriptorsRatio(procSelf: string): Promise<number | undefined> {
  try {
    const limits = await readText(`${procSelf}/limits`, MAX_STATUS_BYTES);
    const most = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 0);
    const { length: open } = await readdir(`${procSelf}/fd`);
    return most > 0 ? Math.min(1, open / most) : undefined;
  } catch (thrown) {
    return shortageOf(thrown) === undefined ? undefined : 1;
  }
}

/** Resident memory; where /proc cannot be read, what V8 holds, which is less. */
async function readRssBytes(procSelf: string): Promise<number> {
  const text = await readText(`${procSelf}/status`, MAX_STATUS_BYTES).catch(() => "");
  const kib = /^VmRSS:\s*(\d+) kB$/m.exec(text)?.[1];
  if (kib !== undefined) return Number(kib) * KIB;
  const { total_physical_size: heap, external_memory: external } = getHeapStatistics();
  return heap + external;
}
