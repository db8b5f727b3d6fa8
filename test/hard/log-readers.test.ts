import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { anAgent, type Stage } from "../interop/scene.ts";
import { falls } from "../support/falls.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import type { RunningAgent } from "../support/running-agent.ts";
import { mayTakeMs } from "./pace.ts";

/**
 * Both outputs are a pipe that is full, as that of a log driver which hangs, or whose reader is gone. It
 * costs lines, which are counted and told: not the work, the memory or the end.
 */
const PATIENCE = { timeout: 120_000, interval: 250 };
const TARGETS = 24;
/** A target tells twenty changes a minute: with a name as long as this they outgrow what may wait. */
const SERVICE = `order.v1.${"Very".repeat(55)}LongService`;
/** Source: the limit of the manifests in deploy/. */
const MOST_RESIDENT_BYTES = 160 * 2 ** 20;

describe.concurrent("where the reader of the log", () => {
  it("stands still, the agent works, holds so much and no more, and says what is missing", async (stage) => {
    const app = await anApp(stage);
    const agent = await anAgent(stage, watchingOften(app), { reader: "stuck" });
    const flip = flips(app);
    stage.onTestFinished(async () => clearInterval(flip));
    // Where nobody gets a turn, a request may be given up: the next one is as good.
    const isLosing = () =>
      lost(agent).then(
        (lines) => lines > 20,
        () => false,
      );
    await vi.waitUntil(isLosing, PATIENCE);
    clearInterval(flip);
    const before = await judgedAt(agent);
    await vi.waitUntil(async () => (await judgedAt(agent)) > before, PATIENCE);
    expect(residentBytes(agent)).toBeLessThan(MOST_RESIDENT_BYTES);
    expect((await agent.findings()).targets).toHaveLength(TARGETS + 1);

    agent.readLog();
    await drill(agent, "dns-stale");
    const about = () => agent.log.find(({ component }) => component === "log");
    const line = await vi.waitUntil(about, PATIENCE);
    expect(line).toMatchObject({ level: "warn", "otel.event.name": "grpc_doctor.sink.dropped" });
    expect(line["messages"]).toBe(await lost(agent));
    expect(agent.log.map(codeOf)).toContain("dns-stale");
    expect(await agent.stop()).toBe(0);
  });

  it("is gone, the agent works, and counts the lines", async (stage) => {
    const app = await anApp(stage);
    const agent = await anAgent(stage, watching(app), { reader: "gone" });
    await drill(agent, "dns-stale");
    await vi.waitUntil(async () => (await lost(agent)) > 0, PATIENCE);
    await falls(app, agent);
    const { active } = await agent.active(["dns-stale", "health-not-serving"]);
    expect(active).toHaveLength(2);
  });

  it.for(["stuck", "gone"] as const)("is %s, the agent ends in time", async (reader, stage) => {
    const agent = await anAgent(stage, watching(await anApp(stage)), { reader });
    await drill(agent, "dns-stale");
    const begin = performance.now();
    expect(await agent.stop()).toBe(0);
    expect(performance.now() - begin).toBeLessThan(mayTakeMs());
  });
});

async function anApp(stage: Stage): Promise<GrpcServer> {
  const app = await startGrpcServer();
  stage.onTestFinished(async () => app.crash());
  return app;
}

const watching = (app: GrpcServer) => `targets: [{ name: app, address: "${app.address}" }]`;

/** Many targets that are one app, and that say nothing aloud. */
function watchingOften(app: GrpcServer): string {
  const target = (_: unknown, n: number) =>
    `  - { name: app-${n}, address: "${app.address}", channelz: off, health: { services: ["${SERVICE}"] } }`;
  const targets = Array.from({ length: TARGETS }, target).join("\n");
  return `findings: { health-flapping: off, health-not-serving: off }\ntargets:\n${targets}`;
}

/** A line of the log for each target, twice a second. */
function flips(app: GrpcServer): NodeJS.Timeout {
  let isServing = true;
  return setInterval(() => {
    isServing = !isServing;
    app.health.setStatus(SERVICE, isServing ? "SERVING" : "NOT_SERVING");
  }, 500);
}

/** Lines that the agent counts as lost. */
const lost = (agent: RunningAgent) =>
  figure(agent, /^grpc_doctor_sink_dropped_total\{sink="log"\} (\S+)/m);

const judgedAt = (agent: RunningAgent) =>
  figure(agent, /^grpc_doctor_last_evaluation_timestamp_seconds (\S+)/m);

async function figure(agent: RunningAgent, pattern: RegExp): Promise<number> {
  return Number(pattern.exec(await agent.metrics())?.[1] ?? 0);
}

function residentBytes({ pid }: RunningAgent): number {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1]) * 1024;
}

async function drill(agent: RunningAgent, code: string): Promise<void> {
  await fetch(`http://${agent.admin}/-/drill?code=${code}`, { method: "POST" });
}

const codeOf = (line: RunningAgent["log"][number]) =>
  (line["finding"] as { readonly code?: string } | undefined)?.code;
