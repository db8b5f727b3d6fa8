import { afterAll, describe, expect, it, vi } from "vitest";
import { IMPLEMENTATIONS, type Peer } from "../interop/peer.ts";
import { addressOf, anAgent, aServer, createTable, toldLoudly } from "../interop/scene.ts";
import type { RunningAgent } from "../support/running-agent.ts";
import { crowding } from "./pace.ts";

/**
 * A pod that ends: its app stops gracefully, once without us and once with everything that we have on
 * it (Watch, channelz, reflection, X-rays, probes on both kinds of connection), in turn. Medians, as
 * single stops of a JVM differ by more than we add.
 */
const ROUNDS = 5;
/** Source: the budget of docs/performance.md. */
const MOST_LONGER_MS = 200;
const table = createTable();
afterAll(() => table.print("graceful stop, median"));

describe.each(IMPLEMENTATIONS)("beside %s", (implementation) => {
  it("a graceful stop takes as long as without us, and the app's log stays empty", async (stage) => {
    const pairs = await Promise.all(
      Array.from({ length: ROUNDS }, () =>
        Promise.all([aServer(stage, implementation), aServer(stage, implementation)]),
      ),
    );
    const watched = pairs.map(([one]) => one);
    const agent = await anAgent(stage, watching(watched));
    await vi.waitUntil(() => isOnAll(agent), { timeout: 60_000, interval: 250 });

    const withUs: number[] = [];
    const alone: number[] = [];
    for (const [one, other] of pairs) {
      withUs.push(Number((await one.command("graceful-stop"))["ms"]));
      alone.push(Number((await other.command("graceful-stop"))["ms"]));
    }
    table.note("alone", implementation, `${median(alone)} ms`);
    table.note("with the agent", implementation, `${median(withUs)} ms`);
    expect(median(withUs) - median(alone)).toBeLessThanOrEqual(MOST_LONGER_MS * crowding());
    expect(watched.map((server) => server.logged())).toEqual(watched.map(() => ""));
    expect(toldLoudly(agent)).toEqual([]);
  });
});

function watching(servers: readonly Peer[]): string {
  const target = (server: Peer, n: number) =>
    `  - { name: app${n}, address: "${addressOf(server)}" }`;
  const probe = (connection: string) => (_: Peer, n: number) =>
    `  - { name: ${connection}${n}, target: app${n}, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 1s, deadline: 500ms, connection: ${connection} }`;
  return [
    "targets:",
    ...servers.map(target),
    "probes:",
    ...servers.map(probe("kept")),
    ...servers.map(probe("fresh")),
  ].join("\n");
}

/** Whether every server has answered every way that we ask. */
async function isOnAll(agent: RunningAgent): Promise<boolean> {
  const text = await agent.metrics();
  const count = (pattern: RegExp) => text.match(pattern)?.length ?? 0;
  return (
    count(/^grpc_doctor_health_status\{.*grpc_service="".*status="SERVING".*\} 1$/gm) === ROUNDS &&
    count(/^grpc_doctor_source_available\{.*source="channelz".*\} 1$/gm) === ROUNDS &&
    count(/^grpc_doctor_connection_attempts_total\{.*\} [1-9]/gm) === ROUNDS &&
    count(/^grpc_doctor_probe_success\{.*\} 1$/gm) === 2 * ROUNDS
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
