import { afterAll, describe, expect, it, vi } from "vitest";
import type { Peer } from "../interop/peer.ts";
import {
  aCaller,
  addressOf,
  anAgent,
  aServer,
  createTable,
  portOf,
  type Stage,
  seconds,
  toldLoudly,
} from "../interop/scene.ts";
import { startResolver } from "../support/resolver.ts";
import type { RunningAgent } from "../support/running-agent.ts";

/** An app that ends and comes back, as in a crash loop, and as in a rollout under load. */
const PATIENCE = { timeout: 120_000, interval: 250 };
const table = createTable();
afterAll(() => table.print("calls failed in rolling restarts, of all"));

const RESTARTS = 8;
const EVERY_SECONDS = 3;
/** A poll of health, each 10 s, has come and gone. */
const POLLED_SECONDS = 15;
/** What is true of an app that is gone for moments, again and again. */
const TRUE_OF_IT = ["connection-refused", "connection-churn", "probe-failing"];

describe.concurrent("an app that is killed every 3 s", () => {
  it("is told for what it is, until it stays", async (stage) => {
    const first = await aServer(stage, "go", ["--count"]);
    const agent = await anAgent(stage, watching([first]));
    await isOn(agent, [first]);
    const seriesBefore = seriesOf(await agent.metrics());
    const last = await killOften(stage, first);
    await vi.waitUntil(async () => (await agent.findings()).active.length === 0, PATIENCE);
    // That of an app which was gone again and again is opened after a back-off.
    await vi.waitUntil(() => isWatched(last), PATIENCE);
    // What never was SERVING in this life is given the time of a start. The kernel's read may tell of the
    // life after the connection was opened: the next poll is one of it.
    await seconds(POLLED_SECONDS);

    const told = new Set(toldLoudly(agent));
    expect([...told].filter((code) => !TRUE_OF_IT.includes(code))).toEqual([]);
    expect(seriesOf(await agent.metrics())).toBeLessThan(seriesBefore + 40);
    expect(agent.log.length).toBeLessThan(20 * RESTARTS);
    await last.command("health NOT_SERVING");
    await agent.active(["health-not-serving"]);
  });
});

async function killOften(stage: Stage, first: Peer): Promise<Peer> {
  let app = first;
  for (let turn = 0; turn < RESTARTS; turn += 1) {
    await seconds(EVERY_SECONDS);
    await app.stop();
    app = await aServer(stage, "go", ["--count", "--listen", addressOf(first)]);
  }
  return app;
}

/** Whether it is asked for both of its names. */
async function isWatched(app: Peer): Promise<boolean> {
  const text = JSON.stringify(await app.command("counted"));
  return /"\/grpc.health.v1.Health\/Watch":[2-9]/.test(text);
}

const seriesOf = (metrics: string) => metrics.match(/^[a-z].* \S+$/gm)?.length ?? 0;

const ROUNDS = 2;
const CALLERS = 2;
/** A network of loopback for each fleet. */
const NETWORKS = { go: [21, 22], node: [23, 24] } as const;

/**
 * Not Java, whose calls fail here with and without us; nor Python, whose server cancels a few calls of
 * thousands as it stops, now in one fleet and now in the other.
 */
describe.concurrent.each(["go", "node"] as const)("a rolling restart of %s", (implementation) => {
  it("fails not one call more with us than without", async (stage) => {
    const [one, other] = NETWORKS[implementation];
    const watched = await aFleet(stage, implementation, one);
    const alone = await aFleet(stage, implementation, other);
    const agent = await anAgent(stage, watching(watched.replicas()));
    for (let round = 0; round < ROUNDS; round += 1) {
      await isOn(agent, watched.replicas());
      // At the same time: what the machine does to one it does to the other.
      await Promise.all([watched.roll(), alone.roll()]);
    }
    const [withUs, without] = [await watched.results(), await alone.results()];
    table.note("with the agent", implementation, withUs.text);
    table.note("without", implementation, without.text);
    expect(withUs.failed).toBeLessThanOrEqual(without.failed);
    expect(withUs.all).toBeGreaterThan(1_000);
  });
});

/** Replicas behind one name, each on an address of its own, and callers whose calls have the time that a crowded machine takes. */
async function aFleet(stage: Stage, implementation: keyof typeof NETWORKS, network: number) {
  const serve = (address: string) => aServer(stage, implementation, ["--listen", address]);
  const first = await serve(`127.${network}.0.1:0`);
  const second = await serve(`127.${network}.0.2:${portOf(first)}`);
  const replicas = [first, second];
  const hosts = replicas.map((replica) => addressOf(replica).replace(/:\d+$/, ""));
  const zone = await startResolver({ "orders.test": { a: hosts, ttlSeconds: 5 } });
  stage.onTestFinished(() => zone.close());
  const target = `dns://${zone.address}/orders.test:${portOf(first)}`;
  const callers = await Promise.all(
    Array.from({ length: CALLERS }, () =>
      aCaller(stage, implementation, [target, "--rate", "50", "--deadline", "10s"]),
    ),
  );
  return {
    replicas: () => replicas,
    async roll() {
      for (const [at, replica] of replicas.entries()) {
        await replica.command("graceful-stop");
        await replica.stop();
        replicas[at] = await serve(addressOf(replica));
        await seconds(1);
      }
    },
    async results() {
      const counts = await Promise.all(callers.map((caller) => caller.command("stats")));
      const all = counts.flatMap(({ results }) =>
        Object.entries(results as Readonly<Record<string, number>>),
      );
      const sum = (these: typeof all) => these.reduce((total, [, count]) => total + count, 0);
      const failed = all.filter(([code]) => code !== "OK");
      const codes = failed.map(([code, count]) => `${code} ${count}`).join(", ");
      return { all: sum(all), failed: sum(failed), text: `${sum(all)} calls, ${codes}` };
    },
  };
}

const watching = (servers: readonly Peer[]) => `
targets:
${servers.map((server, n) => `  - { name: app${n}, address: "${addressOf(server)}" }`).join("\n")}
probes:
${servers.map((_, n) => `  - { name: probe${n}, target: app${n}, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 1s, deadline: 500ms, connection: fresh }`).join("\n")}
`;

/** Resolves when the Watch of each is open and its probe passed. */
async function isOn(agent: RunningAgent, servers: readonly Peer[]): Promise<void> {
  const count = (text: string, pattern: RegExp) => text.match(pattern)?.length ?? 0;
  await vi.waitUntil(async () => {
    const text = await agent.metrics();
    const serving = /^grpc_doctor_health_status\{.*grpc_service="".*status="SERVING".*\} 1$/gm;
    const passing = /^grpc_doctor_probe_success\{.*\} 1$/gm;
    return count(text, serving) === servers.length && count(text, passing) === servers.length;
  }, PATIENCE);
}
