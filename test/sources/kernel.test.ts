import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createSocketTable } from "../../src/host/socket-table.ts";
import type { JobOf, KernelInterest } from "../../src/model/job.ts";
import { kernel } from "../../src/sources/kernel.ts";
import { createManualClock, START } from "../support/clock.ts";
import { tableText } from "../support/proc-net.ts";
import { aTools, observe } from "../support/tools.ts";

let procNet: string;

beforeEach(async () => {
  procNet = await mkdtemp(join(tmpdir(), "kernel-"));
});

afterEach(async () => {
  await rm(procNet, { recursive: true });
});

const interest = (change: Partial<KernelInterest>): KernelInterest => ({
  target: "app",
  role: "app",
  port: 50051,
  addresses: [],
  ownsPod: true,
  ...change,
});
const JOB: JobOf<"kernel"> = {
  key: "kernel",
  source: "kernel",
  label: "kernel",
  target: "app",
  cadence: { kind: "every", ms: 15_000 },
  deadlineMs: 2_000,
  interests: [
    interest({}),
    interest({ target: "inventory", role: "upstream", addresses: ["10.2.0.9"], ownsPod: false }),
  ],
};
const look = (signal?: AbortSignal) => {
  const clock = createManualClock();
  const socketTable = createSocketTable({ clock, procNet, podAddress: "10.1.0.5" });
  const tools = aTools({
    clock,
    socketTable,
    ownPorts: () => new Set([41_000]),
    ownListeners: [19_464],
  });
  return observe(kernel, JOB, tools, signal);
};

it("reads once, and yields what each target asked for, without our own rows", async () => {
  const listening = { remote: "0.0.0.0:0", state: "0A" };
  const table = tableText([
    { local: "0.0.0.0:50051", inode: 7, ...listening },
    { local: "0.0.0.0:19464", ...listening },
    { local: "10.1.0.5:40000", remote: "10.2.0.9:50051" },
    { local: "10.1.0.5:41000", remote: "10.2.0.9:50051" },
  ]);
  await writeFile(join(procNet, "tcp"), table);

  const base = { source: "kernel", at: START };
  const shared = {
    kind: "read",
    costMs: 0,
    listening: ["0.0.0.0:50051"],
    sharesNetwork: true,
    tellsAcceptance: true,
    surroundings: { mesh: false, podAddress: "10.1.0.5" },
    otherRemotes: [],
  };
  expect(await look()).toMatchObject([
    { ...base, target: "app", kind: "capability", available: true },
    {
      ...base,
      ...shared,
      target: "app",
      listeners: [{ address: "0.0.0.0", port: 50051, queued: 0, inode: 7 }],
      remotes: [],
    },
    { ...base, target: "inventory", kind: "capability", available: true },
    {
      ...base,
      ...shared,
      target: "inventory",
      listeners: [],
      remotes: [{ address: "10.2.0.9", port: 50051, established: 1, localPorts: [40_000] }],
    },
  ]);
});

it("tells each target what is missing where there is no table", async () => {
  const missing = {
    source: "kernel",
    at: START,
    kind: "capability",
    available: false,
    reason: `${procNet}/tcp does not exist`,
    fix: "Run the agent in the app's pod on Linux, with /proc readable.",
  };
  expect(await look()).toEqual([
    { ...missing, target: "app" },
    { ...missing, target: "inventory" },
  ]);
});

it("yields nothing of a read that was stopped", async () => {
  await writeFile(join(procNet, "tcp"), tableText([{}]));
  expect(await look(AbortSignal.abort())).toEqual([]);
});
