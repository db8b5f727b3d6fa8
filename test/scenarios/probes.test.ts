import { setTimeout as delay } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { describe, it } from "vitest";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";

/** Ends with its test, whatever becomes of it. */
interface Stage {
  onTestFinished(end: () => void | Promise<void>): void;
}

/** How a server treats the probe's call; `delayMs` is asked for each, `null` refuses it. */
interface Probed extends GrpcServer {
  delayMs: (call: number) => number | null;
  /** When each call came, in ms since 1970. */
  readonly calls: readonly number[];
}

const MINUTE_MS = 60_000;
const OBJECTIVE_MS = 700;
const SLOW_MS = 1_200;
const PROBE = "name: get-order, target: app, method: order.OrderService/GetOrder";
const OBJECTIVE = `{ ${PROBE}, every: 2s, deadline: 1900ms, expect: { latency: ${OBJECTIVE_MS}ms } }`;
const EACH_MINUTE = `{ ${PROBE}, cron: "* * * * *" }`;
/** A tenth of a minute is the spread of a cron of one minute; the rest is a busy machine's. */
const SPREAD_MS = 6_000 + 4_000;

describe.concurrent("a probe with an objective", () => {
  it("is told when it misses it again and again, and no longer when it meets it", async ({
    expect,
    ...stage
  }) => {
    const server = await aProbedServer(stage);
    const agent = await anAgent(stage, server, OBJECTIVE);
    await agent.staysQuiet(15_000);
    server.delayMs = () => SLOW_MS;
    const { active } = await agent.active(["probe-slow@app"]);
    expect(active).toMatchObject([
      {
        severity: "warning",
        subject: { probe: "get-order" },
        evidence: { objectiveMs: OBJECTIVE_MS, missed: 3, slowPhase: "rpc" },
      },
    ]);
    await agent.stays(["probe-slow@app"], 5_000);
    server.delayMs = () => 0;
    await agent.active([]);
  });

  it("is not told when it misses it now and then", async ({ expect, ...stage }) => {
    const server = await aProbedServer(stage);
    // One of three: at most two of the last five.
    server.delayMs = (call) => (call % 3 === 0 ? SLOW_MS : 0);
    const agent = await anAgent(stage, server, OBJECTIVE);
    await agent.staysQuiet(45_000);
    expect(await agent.metrics()).toMatch(/^grpc_doctor_probe_runs_total\{.*"OK"\} (1[5-9]|2\d)$/m);
  });
});

describe.concurrent("a probe with a cron expression", () => {
  it("runs at its minute, each pod a little later in a way of its own, and its first failure is told", async ({
    expect,
    ...stage
  }) => {
    const server = await aProbedServer(stage);
    server.delayMs = () => null;
    await aYoungMinute();
    const pods = ["first", "second", "third"].map((uid) =>
      anAgent(stage, server, EACH_MINUTE, { POD_UID: uid }),
    );
    const agents = await Promise.all(pods);
    expect(server.calls).toEqual([]);
    const told = await Promise.all(agents.map((agent) => agent.active(["probe-failing@app"])));
    expect(told[0]?.active[0]?.evidence).toMatchObject({ failures: 1, status: "UNAVAILABLE" });
    const late = server.calls.map((at) => at % MINUTE_MS);
    expect(late).toHaveLength(agents.length);
    expect(late.toSorted((a, b) => b - a)[0]).toBeLessThan(SPREAD_MS);
    expect(new Set(late.map((ms) => Math.floor(ms / 500))).size).toBe(agents.length);
  });
});

/** Resolves when the wall clock has most of a minute before it. */
async function aYoungMinute(): Promise<void> {
  const passedMs = Date.now() % MINUTE_MS;
  if (passedMs > 30_000) await delay(MINUTE_MS - passedMs);
}

async function aProbedServer({ onTestFinished }: Stage): Promise<Probed> {
  const calls: number[] = [];
  const server = await startGrpcServer({
    handlers: {
      GetOrder: (_call, done) => {
        calls.push(Date.now());
        const delayMs = probed.delayMs(calls.length);
        if (delayMs === null) return done({ code: status.UNAVAILABLE, details: "no stock" });
        setTimeout(() => done(null, { id: "order-123" }), delayMs);
      },
    },
  });
  const probed: Probed = Object.assign(server, { delayMs: () => 0, calls });
  onTestFinished(server.crash);
  return probed;
}

async function anAgent(
  { onTestFinished }: Stage,
  { address }: GrpcServer,
  probe: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<RunningAgent> {
  const configuration = `targets: [{ name: app, address: "${address}" }]\nprobes: [${probe}]\nfindings: { probe-slow: { clearAfter: 60s } }\n`;
  const agent = await startRunningAgent(configuration, { environment });
  onTestFinished(async () => void (await agent.stop()));
  return agent;
}
