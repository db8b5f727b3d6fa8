import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { anAgent, type Stage, seconds, toldLoudly } from "../interop/scene.ts";
import { addCgroup } from "../support/cgroup.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { startResolver } from "../support/resolver.ts";
import type { RunningAgent } from "../support/running-agent.ts";

/**
 * What an agent needs, taken away: it keeps its promise or says what it lost, and accuses nobody. Each
 * ends with the fault that it must still name.
 */
const PATIENCE = { timeout: 90_000, interval: 250 };

describe.concurrent("the app is well, and the agent", () => {
  it("has no /proc/net", async (stage) => {
    const app = await anApp(stage);
    const hidden = [
      "unshare",
      "-m",
      "sh",
      "-c",
      'mount -t tmpfs none /proc/$$/net && exec "$@"',
      "sh",
    ];
    const agent = await anAgent(stage, watching(app), { prefix: hidden });
    await silent(agent, 35);
    expect(unseen(agent)).toEqual(["kernel of app cannot be seen: /proc/net/tcp does not exist"]);
    await namesAFault(agent, app);
  });

  it("has no /proc at all", async (stage) => {
    const app = await anApp(stage);
    const hidden = ["unshare", "-m", "sh", "-c", 'mount -t tmpfs none /proc && exec "$@"', "sh"];
    const agent = await anAgent(stage, watching(app), { prefix: hidden });
    await silent(agent, 35);
    expect(unseen(agent)).toEqual(["kernel of app cannot be seen: /proc/net/tcp does not exist"]);
    expect(await agent.metrics()).not.toContain("process_resident_memory_bytes ");
    await namesAFault(agent, app);
  });

  it("may not look at other processes", async (stage) => {
    const app = await anApp(stage);
    const hidden = [
      "unshare",
      "-m",
      "sh",
      "-c",
      'mount -o remount,hidepid=2 /proc && exec "$@"',
      "sh",
    ];
    const agent = await anAgent(stage, watching(app), { prefix: hidden });
    await silent(agent, 35);
    expect(unseen(agent)).toEqual([]);
    await namesAFault(agent, app);
  });

  it("asks a name server that is mute", async (stage) => {
    const app = await anApp(stage);
    const zone = await startResolver({ "orders.test": { fault: "silent" } });
    stage.onTestFinished(() => zone.close());
    const upstream = `  - { name: orders, role: upstream, address: "dns://${zone.address}/orders.test:1" }`;
    const agent = await anAgent(stage, `${watching(app)}\n${upstream}`);
    // That the name has no answer is what there is to say, at first as what may come yet; the app by its
    // address is well.
    await agent.active(["dns-failing@orders"]);
    await agent.stays(["dns-failing@orders"], 20_000);
    expect(accusations(agent).filter((code) => code !== "dns-failing")).toEqual([]);
  });

  it("has no file descriptor left, and then has", async (stage) => {
    const app = await anApp(stage);
    const zone = await startResolver({ "orders.test": { a: ["127.0.0.1"], ttlSeconds: 5 } });
    stage.onTestFinished(() => zone.close());
    const upstream = `  - { name: orders, role: upstream, address: "dns://${zone.address}/orders.test:${app.port}" }`;
    const agent = await anAgent(stage, `${watching(app)}\n${upstream}`);
    await silent(agent, 20);
    permitDescriptors(agent, lowestFree(agent));
    await saysOfItself(agent, "its file descriptors are at 100 % of the limit");
    await silent(agent, 15);
    expect(unseen(agent)).toContainEqual(expect.stringContaining("EMFILE"));
    permitDescriptors(agent, 1_000);
    agent.configure(watching(app).replace("every: 2s", "every: 3s"));
    await vi.waitUntil(() => agent.log.some(isReload), PATIENCE);
    await namesAFault(agent, app);
  });

  it("has a twentieth of a processor", async (stage) => {
    const app = await anApp(stage);
    const group = addCgroup(`grpc-doctor-test-${process.pid}-cpu`);
    stage.onTestFinished(() => group.remove());
    const agent = await anAgent(stage, watching(app), { prefix: group.prefix });
    group.limitCpu(0.05);
    await silent(agent, 70);
    expect(agent.log.filter(({ level }) => level === "error")).toEqual([]);
    expect(await fetch(`http://${agent.listen}/-/healthy`)).toMatchObject({ status: 200 });
    group.limitCpu(1);
    await namesAFault(agent, app);
  });

  it("is near its limit of memory", async (stage) => {
    const app = await anApp(stage);
    const group = addCgroup(`grpc-doctor-test-${process.pid}-memory`);
    stage.onTestFinished(() => group.remove());
    const agent = await anAgent(stage, watching(app), { prefix: group.prefix });
    await silent(agent, 20);
    group.limitMemory(Math.ceil(residentBytes(agent) * 1.05));
    await saysOfItself(agent, /its memory is at \d+ % of the limit/);
    expect(accusations(agent)).toEqual([]);
    group.limitMemory(2 ** 30);
    await namesAFault(agent, app);
  });

  it("has a clock that is set by a day, forward and back", async (stage) => {
    const app = await anApp(stage);
    const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
    stage.onTestFinished(async () => rmSync(folder, { recursive: true }));
    const clock = join(folder, "clock");
    writeFileSync(clock, "+0");
    const agent = await anAgent(stage, watching(app), { environment: fakedClock(clock) });
    await silent(agent, 15);
    writeFileSync(clock, "+1d");
    await silent(agent, 25);
    writeFileSync(clock, "-1d");
    await silent(agent, 25);
    writeFileSync(clock, "+0");
    await silent(agent, 25);
    await namesAFault(agent, app);
    expect(await daysOf(agent, clock)).toEqual([1, -1]);
  });
});

type App = Awaited<ReturnType<typeof startGrpcServer>>;

async function anApp(stage: Stage): Promise<App> {
  const app = await startGrpcServer();
  stage.onTestFinished(async () => app.crash());
  return app;
}

/** A probe a second, that a slow agent has something to be wrong about. */
const watching = (app: App) => `probes:
  - { name: get-order, target: app, method: order.OrderService/GetOrder, request: { id: order-123 }, every: 2s, deadline: 1s, connection: fresh }
targets:
  - { name: app, address: "${app.address}" }`;

/** Silence is worth something only where a fault is still named, and nothing else. */
async function namesAFault(agent: RunningAgent, app: App): Promise<void> {
  app.health.setStatus("", "NOT_SERVING");
  await vi.waitUntil(() => accusations(agent).length > 0, PATIENCE);
  expect(accusations(agent)).toEqual(["health-not-serving"]);
}

/** That it does not keep up itself is no accusation. */
const accusations = (agent: RunningAgent) =>
  toldLoudly(agent).filter((code) => code !== "agent-overloaded");

/** Watches for so long that it accuses nobody. */
async function silent(agent: RunningAgent, forSeconds: number): Promise<void> {
  await seconds(forSeconds);
  expect(accusations(agent)).toEqual([]);
}

/** Resolves when the finding about the agent itself says this. */
async function saysOfItself(agent: RunningAgent, text: string | RegExp): Promise<void> {
  const says = (): boolean => {
    const told = agent.log.filter((line) => line["component"] === undefined && "finding" in line);
    return told.some(({ msg }) => String(msg).search(text) >= 0);
  };
  await vi.waitUntil(says, PATIENCE);
}

const isReload = (line: RunningAgent["log"][number]) =>
  line["otel.event.name"] === "grpc_doctor.config.loaded";

/** What it said that it cannot see. */
const unseen = ({ log }: RunningAgent) =>
  log.map(({ msg }) => String(msg)).filter((msg) => msg.includes("cannot be seen"));

function residentBytes({ pid }: RunningAgent): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) * 1024;
}

function lowestFree({ pid }: RunningAgent): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  return Array.from({ length: open.size + 1 }, (_, fd) => fd).find((fd) => !open.has(fd)) ?? 0;
}

function permitDescriptors({ pid }: RunningAgent, most: number): void {
  execFileSync("prlimit", ["--pid", String(pid), `--nofile=${most}:`]);
}

/** The wall clock that this file says; monotonic time runs on. Source: libfaketime's README. */
const fakedClock = (file: string) => ({
  LD_PRELOAD: "/usr/$LIB/faketime/libfaketime.so.1",
  FAKETIME_TIMESTAMP_FILE: file,
  FAKETIME_NO_CACHE: "1",
  DONT_FAKE_MONOTONIC: "1",
});

/** By how many days the agent's clock is off when this file says so. */
async function daysOf(agent: RunningAgent, clock: string): Promise<readonly number[]> {
  const days: number[] = [];
  for (const offset of ["+1d", "-1d"]) {
    writeFileSync(clock, offset);
    await seconds(3);
    const text = await (await fetch(`http://${agent.admin}/findings`)).text();
    const { generatedAt } = JSON.parse(text) as { readonly generatedAt: string };
    days.push(Math.round((Date.parse(generatedAt) - Date.now()) / 86_400_000));
  }
  return days;
}
