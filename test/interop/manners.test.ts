import { afterAll, describe, expect, it } from "vitest";
import type { RunningAgent } from "../support/running-agent.ts";
import { IMPLEMENTATIONS, type Peer } from "./peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  createTable,
  seconds,
  silent,
  toldLoudly,
  unjudgedOf,
} from "./scene.ts";

const LONGEST_MS = 420_000;
/** Far above the 200 ms that are promised, and far below the grace of a Watch that stays. */
const PROMPT_MS = 1_000;
const table = createTable();
afterAll(() => table.print("the agent's manners"));

describe.concurrent.each(IMPLEMENTATIONS)("beside %s", (implementation) => {
  it("does not keep a graceful stop", { timeout: LONGEST_MS }, async (stage) => {
    const alone = await aServer(stage, implementation);
    const watched = await aServer(stage, implementation);
    const agent = await anAgent(stage, app(watched));
    await openWatch(agent);
    const { ms: aloneMs } = await alone.command("graceful-stop");
    const { ms: watchedMs } = await watched.command("graceful-stop");
    table.note("graceful stop alone", implementation, `${String(aloneMs)} ms`);
    table.note("graceful stop with the agent", implementation, `${String(watchedMs)} ms`);
    expect(Number(watchedMs) - Number(aloneMs)).toBeLessThan(PROMPT_MS);
    // The pod ends: nothing is wrong with the app.
    await silent(agent, 30);
    expect(toldLoudly(agent)).toEqual([]);
  });

  it("accuses nobody of its own standstill", { timeout: LONGEST_MS }, async (stage) => {
    const server = await aServer(stage, implementation);
    await aCaller(stage, implementation, [addressOf(server), "--rate", "50"]);
    await server.command("delay 20ms");
    const agent = await anAgent(stage, app(server));
    await silent(agent, 30);
    await standStill(agent);
    await silent(agent, 20);
    await standStill(agent);
    await silent(agent, 90);
    expect(toldLoudly(agent)).toEqual([]);
    expect(await unjudgedOf(agent, ["app-frozen", "deadline-storm"])).toEqual([]);
  });
});

/** The agent's process stands still for three seconds, as in a throttled cgroup. */
async function standStill(agent: RunningAgent): Promise<void> {
  process.kill(agent.pid, "SIGSTOP");
  await seconds(3);
  process.kill(agent.pid, "SIGCONT");
}

/** Resolves when the agent has heard from the health service: its Watch is open. */
async function openWatch(agent: RunningAgent): Promise<void> {
  const isServing = /grpc_doctor_health_status\{[^}]*status="SERVING"[^}]*\} 1/;
  while (!isServing.test(await agent.metrics())) await seconds(0.2);
}

const app = (server: Peer) => `targets: [{ name: app, address: "${addressOf(server)}" }]`;
