import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { watchSelf } from "../../src/host/self.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { createManualClock, START } from "../support/clock.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "self-"));
});

afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    const file = join(folder, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

const STATUS = { "proc/status": "Name:\tnode\nVmRSS:\t   51200 kB\nThreads:\t7\n" };
const stat = (periods: number, throttled: number) =>
  `usage_usec 1\nnr_periods ${periods}\nnr_throttled ${throttled}\nthrottled_usec 0\n`;
const watch = () => {
  const clock = createManualClock();
  const cgroupRoot = join(folder, "cgroup");
  const self = watchSelf({ clock, cgroupRoot, procSelf: join(folder, "proc") });
  return { clock, self };
};

it("finds a loop that keeps its times in time, and no limits where none are", async () => {
  await write({ ...STATUS, "cgroup/memory.max": "max\n" });
  const { clock, self } = watch();
  await clock.advance(15_000);
  expect(await self.sampleSelf()).toEqual({
    kind: "self",
    at: START + 15_000,
    lagP99Ms: 0,
    windowMs: 15_000,
    rssBytes: 52_428_800,
  });
  self.stop();
});

it("weighs a stall by its length, and forgets it with its window", async () => {
  await write(STATUS);
  const { clock, self } = watch();
  await clock.advance(5_000);
  await clock.stall(3_100);
  await clock.advance(6_900);
  // Of 150 samples the second longest: a stall of 3.1 s, seen 200 ms after the step before.
  expect(await self.sampleSelf()).toMatchObject({ lagP99Ms: 2_800, windowMs: 15_000 });
  await clock.advance(15_000);
  expect(await self.sampleSelf()).toMatchObject({ lagP99Ms: 0, windowMs: 15_000 });
  self.stop();
});

it("sees a stall that begins with its window", async () => {
  await write(STATUS);
  const { clock, self } = watch();
  await clock.advance(15_000);
  await self.sampleSelf();
  await clock.stall(3_000);
  await clock.advance(12_000);
  // The first step is not timed: what no other step tells of is, but for two steps.
  expect(await self.sampleSelf()).toMatchObject({ lagP99Ms: 2_500, windowMs: 15_000 });
  self.stop();
});

it("counts each of many short pauses once", async () => {
  await write(STATUS);
  const { clock, self } = watch();
  await clock.advance(5_100);
  await clock.stall(190);
  await clock.advance(5_100);
  await clock.stall(170);
  await clock.advance(4_440);
  // Late by 90 and by 70 ms: of 150 samples the second longest.
  expect(await self.sampleSelf()).toMatchObject({ lagP99Ms: 70, windowMs: 15_000 });
  self.stop();
});

it("stops its timer", () => {
  const { clock, self } = watch();
  self.stop();
  expect(clock.pending).toBe(0);
});

it("is silent about one pause that is shorter than a hundredth of the window", async () => {
  await write(STATUS);
  const { clock, self } = watch();
  await clock.advance(5_100);
  await clock.stall(190);
  await clock.advance(9_710);
  expect(await self.sampleSelf()).toMatchObject({ lagP99Ms: 0 });
  self.stop();
});

it.each([
  ["v2, as a container sees itself", { cpu: "cpu.stat", memory: "memory.max", own: "0::/\n" }],
  [
    "v2 in the namespace of the host",
    {
      cpu: "kubepods/pod1/cpu.stat",
      memory: "kubepods/pod1/memory.max",
      own: "0::/kubepods/pod1\n",
    },
  ],
  [
    "v1, as a container sees itself",
    {
      cpu: "cpu,cpuacct/cpu.stat",
      memory: "memory/memory.limit_in_bytes",
      own: "4:cpu,cpuacct:/kubepods/pod1\n0::/\n",
    },
  ],
  [
    "v1 in the namespace of the host",
    {
      cpu: "cpu/kubepods/pod1/cpu.stat",
      memory: "memory/kubepods/pod1/memory.limit_in_bytes",
      own: "7:memory:/kubepods/pod1\n4:cpu,cpuacct:/kubepods/pod1\n0::/\n",
    },
  ],
  [
    "v1, where the controllers are apart",
    {
      cpu: "cpu/cpu.stat",
      memory: "memory/pod1/memory.limit_in_bytes",
      own: "7:memory:/pod1\n4:cpu:/\n0::/\n",
    },
  ],
])("reads throttling and the memory limit of cgroup %s", async (_which, { cpu, memory, own }) => {
  const files = { "proc/cgroup": own, [`cgroup/${memory}`]: "134217728\n" };
  await write({ ...STATUS, ...files, [`cgroup/${cpu}`]: stat(1_000, 50) });
  const { self } = watch();
  const first = await self.sampleSelf();
  await write({ [`cgroup/${cpu}`]: stat(1_150, 80) });
  const second = await self.sampleSelf();
  await write({ [`cgroup/${cpu}`]: stat(1_150, 80) });
  const third = await self.sampleSelf();

  expect([first, second, third].map((event) => event.throttledRatio)).toEqual([undefined, 0.2, 0]);
  expect(first.limitBytes).toBe(134_217_728);
  self.stop();
});

it("counts its descriptors against the permitted ones", async () => {
  const limits =
    "Limit  Soft Limit  Hard Limit  Units\nMax open files            8                   64        files\n";
  await write({ ...STATUS, "proc/limits": limits, "proc/fd/0": "", "proc/fd/1": "" });
  const { self } = watch();
  expect(await self.sampleSelf()).toMatchObject({ descriptorsRatio: 0.25 });
  self.stop();
});

it("takes v1's greatest number for no limit", async () => {
  await write({ ...STATUS, "cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n" });
  const { self } = watch();
  expect(await self.sampleSelf()).not.toHaveProperty("limitBytes");
  self.stop();
});

it("says of this very process how much memory it has", async () => {
  const self = watchSelf({ clock: systemClock });
  const { rssBytes } = await self.sampleSelf();
  self.stop();
  const rss = process.memoryUsage.rss();
  expect(rssBytes / rss).toBeGreaterThan(0.5);
  expect(rssBytes / rss).toBeLessThan(2);
});

it("does without /proc", async () => {
  const { self } = watch();
  const sample = await self.sampleSelf();
  expect(sample.rssBytes).toBeGreaterThan(1_000_000);
  expect(sample).not.toHaveProperty("descriptorsRatio");
  self.stop();
});
