import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AUTHORITY, makeCertificates } from "./certificates.ts";
import { type Child, type Entry, startChild } from "./child.ts";
import { type Actor, type Fault, HEALTHY } from "./faults.ts";
import type { ServerTask } from "./server-process.ts";
import { startZone, type Zone } from "./zone.ts";

/** The sample world: an order service with its callers and its dependencies, all on this machine. */
export interface World {
  /** What the agent is told of it, as the text of a configuration file. */
  readonly configuration: string;
  /** The address that stands for the pod's. */
  readonly podAddress: string;
  /** Rejects when its process has ended; waits for as long as its process is blocked. */
  break(fault: Fault): Promise<void>;
  /** As `break`. */
  heal(fault: Fault): Promise<void>;
  close(): Promise<void>;
}

export interface WorldOptions {
  readonly entry: Entry;
  readonly protoDirectory: string;
  readonly now: number;
  /** Aborted while the world starts: it is taken down again, and `startWorld` rejects. */
  readonly signal: AbortSignal;
}

const INVENTORY = "inventory.demo";
const HOME = "127.0.0.2";
const ELSEWHERE = "127.0.0.3";
const MAX_STREAMS = 100;

/** Starts four processes and a name server; resolves when all of them are up. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { entry, protoDirectory, now, signal } = options;
  const [orders, payments, inventory] = await freePorts(3);
  const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-demo-"));
  const certificates = await makeCertificates(now);
  writeFileSync(join(folder, "ca.pem"), certificates.ca);
  const zone = await startZone(INVENTORY, [HOME]);
  const inventoryAddress = `dns://127.0.0.1:${zone.port}/${INVENTORY}:${inventory}`;

  const ports = { orders, payments, inventory };
  const tasks = tasksOf({ ports, protoDirectory, inventoryAddress, leaves: certificates.leaves });
  const children = new Map<string, Child>();
  const start = (name: keyof typeof tasks) => {
    const child = startChild(entry, tasks[name]);
    children.set(name, child);
    return child.up;
  };
  const killAll = async () => {
    await Promise.all([...children.values()].map((child) => child.kill()));
  };
  const close = async () => {
    await killAll();
    await zone.close();
    rmSync(folder, { recursive: true, force: true });
  };
  const giveUp = () => void killAll();
  signal.addEventListener("abort", giveUp, { once: true });
  try {
    signal.throwIfAborted();
    await Promise.all([start("inventory"), start("payments"), start("orders")]);
    await start("callers");
  } catch (thrown) {
    await close();
    throw thrown;
  } finally {
    signal.removeEventListener("abort", giveUp);
  }

  const ca = join(folder, "ca.pem");
  return {
    configuration: configurationText({ orders, payments, inventory: inventoryAddress, ca }),
    podAddress: HOME,
    ...createActs({ children, zone, start, marker: join(folder, "blocked") }),
    close,
  };
}

interface Script extends Pick<ServerTask, "protoDirectory" | "leaves"> {
  readonly ports: Readonly<Record<"orders" | "payments" | "inventory", number>>;
  readonly inventoryAddress: string;
}

/** What each process of the world does. */
function tasksOf({ ports, inventoryAddress, protoDirectory, leaves }: Script) {
  const server = (port: number, more: Pick<ServerTask, "serving" | "calls">): ServerTask => ({
    role: "server",
    port,
    protoDirectory,
    leaves,
    maxConcurrentStreams: MAX_STREAMS,
    ...more,
  });
  return {
    inventory: server(ports.inventory, { serving: HEALTHY.orders }),
    orders: server(ports.orders, { serving: HEALTHY.orders, calls: inventoryAddress }),
    payments: server(ports.payments, { serving: HEALTHY.payments }),
    // As other pods do: by the pod's address, which a server that listens on loopback only refuses.
    callers: { role: "callers", address: `${HOME}:${ports.orders}`, protoDirectory },
  } as const;
}

interface Stage {
  readonly children: ReadonlyMap<string, Child>;
  readonly zone: Zone;
  start(name: Actor): Promise<void>;
  /** While this file exists, an event loop is blocked. */
  readonly marker: string;
}

function createActs({ children, zone, start, marker }: Stage): Pick<World, "break" | "heal"> {
  const childOf = (actor: Actor): Child => {
    const child = children.get(actor);
    if (child === undefined) throw new Error(`${actor} does not run`);
    return child;
  };
  return {
    async break({ act }) {
      if ("dns" in act) zone.answer(act.dns === "moved" ? [ELSEWHERE] : []);
      else if ("kill" in act) await childOf(act.kill).kill();
      else if ("block" in act) {
        writeFileSync(marker, "");
        childOf(act.block).commandBlindly({ kind: "block", while: marker });
      } else await childOf(act.on).command(act.break);
    },
    async heal({ act }) {
      if ("dns" in act) zone.answer([HOME]);
      else if ("kill" in act) await start(act.kill);
      else if ("block" in act) rmSync(marker, { force: true });
      else await childOf(act.on).command(act.heal);
    },
  };
}

interface Places {
  readonly orders: number;
  readonly payments: number;
  readonly inventory: string;
  readonly ca: string;
}

/** What an SRE would write for this service, but for the last part, which says why it is there. */
function configurationText({ orders, payments, inventory, ca }: Places): string {
  return `targets:
  - name: orders
    address: 127.0.0.1:${orders}
    tls: off
    channelz: { every: 2s }
  - name: payments
    address: 127.0.0.1:${payments}
    authority: ${AUTHORITY}
    tls: { ca: ${ca} }
    channelz: off
  - name: inventory
    role: upstream
    address: ${inventory}
probes:
  - name: get-order
    target: orders
    method: order.OrderService/GetOrder
    request: { id: order-1 }
    every: 2s
    deadline: 500ms
    expect: { that: ['response.price > 0.0'] }
findings:
  # Shorter than the defaults, for a spectator's patience: in production these windows keep a short
  # disturbance from raising an alarm.
  health-not-serving: { hold: 5s }
  dns-stale: { absent: 10s, clearAfter: 60s }
  deadline-storm: { window: 20s, hold: 5s, clearAfter: 60s }
  stream-exhaustion: { full: 5s }
`;
}

async function freePorts(count: 3): Promise<readonly [number, number, number]>;
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject);
        server.listen(0, "127.0.0.1", resolve);
      });
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === "object" && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
