import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { afterAll, expect, it, vi } from "vitest";
import { type Peer, startPeer } from "../interop/peer.ts";
import { createTable, type Stage, seconds, toldLoudly } from "../interop/scene.ts";
import { addNetworkNamespace, type NetworkNamespace } from "../support/network-namespace.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";

/**
 * Every way to look at once, in a network that holds nothing else. The kernel counts all connections that
 * are begun there, and those that nobody takes: none is. What only the app is connected to (an upstream
 * that channelz and the kernel show) gets none, and what was named gets no more than the budget of a minute.
 *
 * `GRPC_DOCTOR_MANNERS_SECONDS` is the length: 40 by default.
 */
const LASTS_SECONDS = Number(process.env["GRPC_DOCTOR_MANNERS_SECONDS"] ?? "40");
const MINUTES = LASTS_SECONDS / 60;
const PATIENCE = { timeout: 60_000, interval: 250 };
/** The X-ray each 30 s; on the app a probe with a connection of its own each 5 s besides. */
const VISITS_A_MINUTE = { app: 2 + 12, orders: 2, metrics: 4 };
/** A wish of the X-ray at once, and what the ends of the run cut. */
const VISITS_MORE = 3;
/** Source: grpc-go's enforcement, too_many_pings: more than two strikes end a connection. */
const PINGS_WITHOUT_CALL = 2;

const PORTS = { app: 50_051, orders: 50_052, unnamed: 50_053 };
/** The addresses of the named two, and of the one that only the app knows. */
const APP = "127.0.0.1";
const ORDERS = "127.0.0.2";
const UNNAMED = "127.0.0.3";
const CALLERS = "127.0.0.9";
const HOSTS = `127.0.0.1 localhost\n${APP} app.test\n${ORDERS} orders.test\n`;
const table = createTable();
afterAll(() => table.print(`what the agent began in ${LASTS_SECONDS} s`));

it("opens no connection but to what was named, and few of those", {
  timeout: 240_000 + LASTS_SECONDS * 1_000,
}, async (stage) => {
  const network = aNetwork(stage);
  const aPeer = (flags: readonly string[]) => startedIn(network, stage, flags);
  const serve = (host: string, port: number) => ["serve", "--count", "--listen", `${host}:${port}`];
  const orders = await aPeer(serve(ORDERS, PORTS.orders));
  const unnamed = await aPeer(serve(UNNAMED, PORTS.unnamed));
  const calls = ["--calls", `${UNNAMED}:${PORTS.unnamed}`];
  const app = await aPeer([...serve("0.0.0.0", PORTS.app), "--metrics", ...calls]);
  await aPeer(["call", "--target", `${CALLERS}:${PORTS.app}`]);
  const agent = await startRunningAgent(watching(String(app.ready["metrics"])), { network });
  stage.onTestFinished(async () => void (await agent.stop()));
  await vi.waitFor(async () => expect(await sourcesOf(agent)).toEqual(SOURCES), PATIENCE);

  const servers = { app, orders, unnamed };
  const before = await ledger(servers);
  await seconds(LASTS_SECONDS);
  const { begun, refused, ...taken } = minus(await ledger(servers), before);
  // What no gRPC server took is the app's own metrics endpoint: nothing else listens here.
  const metrics = begun - taken.app - taken.orders - taken.unnamed;
  const frames = { app: await framesAt(app, APP), orders: await framesAt(orders, ORDERS) };
  table.note("connections", "app", `${taken.app}`);
  table.note("connections", "orders", `${taken.orders}`);
  table.note("connections", "metrics", `${metrics}`);
  table.note("PINGs, with the start", "app", `${frames.app.pings}`);
  table.note("PINGs, with the start", "orders", `${frames.orders.pings}`);

  expect({ refused, unnamed: taken.unnamed }).toEqual({ refused: 0, unnamed: 0 });
  expect(metrics).toBeGreaterThan(0);
  expect(metrics).toBeLessThanOrEqual(1 + MINUTES * VISITS_A_MINUTE.metrics);
  expect(taken.app).toBeGreaterThan(0);
  expect(taken.app).toBeLessThanOrEqual(VISITS_MORE + MINUTES * VISITS_A_MINUTE.app);
  expect(taken.orders).toBeGreaterThan(0);
  expect(taken.orders).toBeLessThanOrEqual(VISITS_MORE + MINUTES * VISITS_A_MINUTE.orders);
  expect(frames.app.pings).toBeLessThanOrEqual(frames.app.connections);
  expect(frames.orders.pings).toBeLessThanOrEqual(frames.orders.connections);
  expect(frames.app.idlePings).toBeLessThanOrEqual(PINGS_WITHOUT_CALL);
  expect(frames.orders.idlePings).toBeLessThanOrEqual(PINGS_WITHOUT_CALL);
  expect(toldLoudly(agent)).toEqual([]);
  // It has seen what it did not dial.
  expect(await agent.metrics()).toMatch(/^grpc_doctor_channelz_channel_state\{.*\} 1$/m);
});

const watching = (metrics: string) => `
targets:
  - { name: app, address: "dns:///app.test:${PORTS.app}", metrics: "${metrics}" }
  - { name: orders, role: upstream, address: "dns:///orders.test:${PORTS.orders}" }
probes:
  - { name: kept, target: app, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 1s, deadline: 900ms }
  - { name: fresh, target: app, method: order.OrderService/GetOrder, request: { id: order-1 }, every: 5s, deadline: 900ms, connection: fresh }
`;

const SOURCES = [
  "app channelz",
  "app health",
  "app kernel",
  "app metrics",
  "app preflight",
  "app probe",
];

/** What has seen the app; the order is that of `SOURCES`. */
async function sourcesOf(agent: RunningAgent): Promise<readonly string[]> {
  const text = await agent.metrics();
  const told = text.match(/^grpc_doctor_source_available\{.*\} 1$/gm) ?? [];
  const label = (line: string, name: string) => new RegExp(`${name}="(\\w+)"`).exec(line)?.[1];
  const seen = told.map((line) => `${label(line, "target")} ${label(line, "source")}`);
  return SOURCES.filter((source) => seen.includes(source));
}

/** A network with names of its own: `ip netns exec` puts the files of /etc/netns over those of /etc. */
function aNetwork(stage: Stage): NetworkNamespace {
  const name = `grpc-doctor-named-${process.pid}`;
  const folder = `/etc/netns/${name}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/hosts`, HOSTS);
  const network = addNetworkNamespace(name);
  stage.onTestFinished(async () => {
    network.remove();
    rmSync(folder, { recursive: true });
  });
  return network;
}

async function startedIn(
  network: NetworkNamespace,
  stage: Stage,
  flags: readonly string[],
): Promise<Peer> {
  const peer = await startPeer("go", flags, network.prefix);
  stage.onTestFinished(() => peer.stop());
  return peer;
}

interface Servers {
  readonly app: Peer;
  readonly orders: Peer;
  readonly unnamed: Peer;
}

/** Connections: begun in the whole network, refused there, and taken by each server. */
type Ledger = Readonly<Record<"begun" | "refused" | keyof Servers, number>>;

async function ledger({ app, orders, unnamed }: Servers): Promise<Ledger> {
  const taken = {
    app: await takenBy(app),
    orders: await takenBy(orders),
    unnamed: await takenBy(unnamed),
  };
  const [names = [], values = []] = readFileSync(`/proc/${app.pid}/net/snmp`, "utf8")
    .split("\n")
    .filter((line) => line.startsWith("Tcp:"))
    .map((line) => line.split(" "));
  const count = (name: string) => Number(values[names.indexOf(name)]);
  return { begun: count("ActiveOpens"), refused: count("AttemptFails"), ...taken };
}

function minus(after: Ledger, before: Ledger): Ledger {
  const { begun, refused, app, orders, unnamed } = after;
  return {
    begun: begun - before.begun,
    refused: refused - before.refused,
    app: app - before.app,
    orders: orders - before.orders,
    unnamed: unnamed - before.unnamed,
  };
}

interface Frames {
  readonly connections: number;
  readonly pings: number;
  readonly idlePings: number;
}

async function countedBy(server: Peer): Promise<Readonly<Record<string, Frames>>> {
  const { counted } = await server.command("counted");
  return counted as Readonly<Record<string, Frames>>;
}

async function takenBy(server: Peer): Promise<number> {
  const all = Object.values(await countedBy(server));
  return all.reduce((sum, { connections }) => sum + connections, 0);
}

/** What came to the address that only the agent dials, since the start. */
async function framesAt(server: Peer, address: string): Promise<Frames> {
  return (await countedBy(server))[address] ?? { connections: 0, pings: 0, idlePings: 0 };
}
