import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { afterEach, beforeEach, expect, it } from "vitest";
import {
  createSocketTable,
  type KernelFacts,
  type SocketTable,
} from "../../src/host/socket-table.ts";
import type { KernelInterest } from "../../src/model/job.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { type RowText, tableText } from "../support/proc-net.ts";

const NETSTAT = "TcpExt: TW ListenOverflows ListenDrops\nTcpExt: 9 3 4\nIpExt: X\nIpExt: 1\n";
const app: KernelInterest = {
  target: "app",
  role: "app",
  port: 50051,
  addresses: [],
  ownsPod: true,
};
const inventory: KernelInterest = {
  target: "inventory",
  role: "upstream",
  port: 50051,
  addresses: ["10.2.0.9", "FD00:0:0:0::9"],
  ownsPod: false,
};
const never = new AbortController().signal;

let folder: string;
const cleanUp: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "proc-net-"));
  cleanUp.push(() => rm(folder, { recursive: true }));
});

afterEach(async () => {
  for (const clean of cleanUp.splice(0).toReversed()) await clean();
});

type Own = { ownPorts?: ReadonlySet<number>; ownListeners?: readonly number[] };

/** The cost of each of so many reads, as the table tells it. */
async function costsOf(table: SocketTable, reads: number): Promise<readonly number[]> {
  const options = { interests: [app], ownPorts: new Set<number>(), ownListeners: [] };
  const costs: number[] = [];
  for (let read = 0; read < reads; read += 1) {
    const seen = await table.read({ ...options, signal: never });
    costs.push((seen as Extract<typeof seen, { outcome: "read" }>).factsFor(app).costMs);
  }
  return costs;
}

/** What a table of these rows tells one interest; costs and interfaces are this machine's. */
async function told(
  rows: { tcp: readonly RowText[]; tcp6?: readonly RowText[]; netstat?: string },
  interest: KernelInterest = app,
  own: Own = {},
): Promise<Omit<KernelFacts, "costMs" | "surroundings">> {
  await writeFile(join(folder, "tcp"), tableText(rows.tcp));
  if (rows.tcp6 !== undefined) await writeFile(join(folder, "tcp6"), tableText(rows.tcp6));
  if (rows.netstat !== undefined) await writeFile(join(folder, "netstat"), rows.netstat);
  const { costMs, surroundings, ...facts } = await factsOf(interest, own, folder);
  expect(costMs).toBeGreaterThan(0);
  expect(surroundings).toMatchObject({ mesh: false });
  return facts;
}

async function factsOf(interest: KernelInterest, own: Own = {}, procNet = "/proc/net") {
  const read = await createSocketTable({ clock: systemClock, procNet }).read({
    interests: [app, inventory, interest],
    ownPorts: new Set(),
    ownListeners: [],
    signal: never,
    ...own,
  });
  expect(read).toMatchObject({ outcome: "read" });
  return (read as Extract<typeof read, { outcome: "read" }>).factsFor(interest);
}

const listens = (local: string, more: RowText = {}): RowText => ({
  local,
  remote: local.startsWith("[") ? "[::]:0" : "0.0.0.0:0",
  state: "0A",
  ...more,
});

const NOTHING = {
  listeners: [],
  listening: [],
  sharesNetwork: false,
  inbound: {
    established: 0,
    unaccepted: 0,
    synReceived: 0,
    loopbackClients: 0,
    receiveQueueBytes: 0,
    acceptedReceiveQueueBytes: 0,
    sendQueueBytes: 0,
    zeroWindow: 0,
  },
  remotes: [],
  otherRemotes: [],
  tellsAcceptance: false,
};

it.each<[string, readonly (readonly [startedMs: number, endedMs: number])[], number]>([
  ["the first, which is cold", [[0, 833]], 2.8],
  [
    "the second",
    [
      [0, 833],
      [1000, 1004],
    ],
    4,
  ],
  [
    "a slow one",
    [
      [0, 833],
      [1000, 1004],
      [20_000, 20_600],
    ],
    4,
  ],
  [
    "slow ones of a starved machine, two minutes long",
    [
      [0, 4],
      [20_000, 20_600],
      [20_700, 21_500],
      [119_000, 119_600],
    ],
    4,
  ],
  [
    "slow ones that last",
    [
      [0, 4],
      [20_000, 20_600],
      [21_000, 21_500],
      [130_000, 130_700],
    ],
    500,
  ],
  [
    "rare and slow ones",
    [
      [0, 4],
      [200_000, 200_600],
      [400_000, 400_500],
    ],
    500,
  ],
])("costs as much as the cheapest of late: %s", async (_which, reads, costMs) => {
  await writeFile(join(folder, "tcp"), tableText([]));
  const times = reads.flat();
  const clock = { ...systemClock, monotonicMs: () => times.shift() ?? 0 };
  const table = createSocketTable({ clock, procNet: folder });
  expect((await costsOf(table, reads.length)).at(-1)).toBe(costMs);
});

it.each([
  [
    "the processor's time, not the time that it waited",
    [0, 600, 20_000, 20_700],
    [5, 8, 40, 42],
    2,
  ],
  ["the time that passed, where other work was done meanwhile", [0, 2], [5, 305], 2],
  ["the time that passed, where the kernel has counted no tick", [0, 2], [5, 5], 2],
])("costs %s", async (_what, times, used, costMs) => {
  await writeFile(join(folder, "tcp"), tableText([]));
  const reads = times.length / 2;
  const clock = { ...systemClock, monotonicMs: () => times.shift() ?? 0 };
  const table = createSocketTable({ clock, cpuMs: () => used.shift() ?? 0, procNet: folder });
  expect((await costsOf(table, reads)).at(-1)).toBe(costMs);
});

it("says of an empty table that the network is not shared", async () => {
  expect(await told({ tcp: [] })).toEqual(NOTHING);
});

it("leaves out all that is ours", async () => {
  const tcp: RowText[] = [
    listens("0.0.0.0:19464"),
    { local: "10.1.0.5:19464", remote: "10.3.0.1:33000" },
    { local: "10.1.0.5:41000", remote: "10.2.0.9:50051" },
    { local: "10.1.0.5:41001", remote: "10.2.0.9:50051", state: "06", inode: 0 },
  ];
  const own = { ownPorts: new Set([41_000, 41_001]), ownListeners: [19_464] };
  expect(await told({ tcp }, { ...inventory, ownsPod: true }, own)).toEqual({
    ...NOTHING,
    tellsAcceptance: true,
  });
});

it("tells the app's port: who listens, who waits, and what is not read", async () => {
  const client = (port: number, more: RowText = {}): RowText => ({
    local: "10.1.0.5:50051",
    remote: `10.3.0.1:${port}`,
    ...more,
  });
  const tcp: RowText[] = [
    listens("127.0.0.1:9090", { inode: 5 }),
    client(33_000, { receiveQueue: 7 }),
    client(33_001, { inode: 0, receiveQueue: 5 }),
    client(33_002, { state: "03", inode: 0 }),
    client(33_003, { sendQueue: 11, timer: "04" }),
    client(33_004, { state: "08", receiveQueue: 1_000 }),
    { local: "127.0.0.1:50051", remote: "127.0.0.1:33005" },
    // Our own kept connection, and one of our visits; a stranger with the same port elsewhere.
    { local: "127.0.0.1:50051", remote: "127.0.0.1:41000", receiveQueue: 99 },
    { local: "127.0.0.1:50051", remote: "127.0.0.1:41001", receiveQueue: 300, inode: 0 },
    client(41_000),
    { local: "127.0.0.1:41000", remote: "127.0.0.1:50051" },
    { local: "127.0.0.1:41001", remote: "127.0.0.1:50051" },
  ];
  const tcp6 = [listens("[::]:50051", { receiveQueue: 2, inode: 6 })];
  const own = { ownPorts: new Set([41_000, 41_001]) };
  expect(await told({ tcp, tcp6, netstat: NETSTAT }, app, own)).toEqual({
    listeners: [{ address: "::", port: 50051, queued: 2, inode: 6 }],
    listening: ["127.0.0.1:9090", "[::]:50051"],
    sharesNetwork: true,
    inbound: {
      established: 5,
      unaccepted: 1,
      synReceived: 1,
      loopbackClients: 1,
      receiveQueueBytes: 12,
      acceptedReceiveQueueBytes: 7,
      sendQueueBytes: 11,
      zeroWindow: 1,
    },
    keptReceiveQueueBytes: 99,
    remotes: [],
    otherRemotes: [],
    overflows: 3,
    drops: 4,
    tellsAcceptance: true,
  });
});

it("finds the kept connection by its port, accepted or not", async () => {
  const tcp: RowText[] = [
    { local: "127.0.0.1:50051", remote: "127.0.0.1:41000", receiveQueue: 99 },
    { local: "127.0.0.1:50051", remote: "127.0.0.1:41001", receiveQueue: 300, inode: 0 },
  ];
  const own = { ownPorts: new Set([41_000, 41_001]) };
  expect(await told({ tcp }, { ...app, port: 50051, keptPort: 41_001 }, own)).toMatchObject({
    keptReceiveQueueBytes: 300,
  });
});

it("folds what the app dials: to its upstream, and to others", async () => {
  const dials = (local: number, remote: string, more: RowText = {}): RowText => ({
    local: `10.1.0.5:${local}`,
    remote,
    ...more,
  });
  const tcp: RowText[] = [
    listens("0.0.0.0:8080"),
    dials(8080, "10.3.0.1:40001"),
    dials(40_002, "10.2.0.9:50051", { sendQueue: 10, timer: "01", retransmits: 4 }),
    dials(40_001, "10.2.0.9:50051", { sendQueue: 5, receiveQueue: 3, timer: "04" }),
    dials(40_003, "10.2.0.9:50051", { state: "02", retransmits: 2 }),
    dials(40_004, "10.2.0.9:50051", { state: "06", inode: 0 }),
    dials(40_005, "10.2.0.9:50051", { state: "08" }),
    dials(40_006, "10.2.0.9:5432"),
    dials(40_007, "10.9.9.9:5432", { state: "02", retransmits: 5 }),
    dials(40_008, "127.0.0.1:6379"),
  ];
  const tcp6 = [dials(40_009, "[fd00::9]:50051", { local: "[fd00::1]:40009" })];
  const none = {
    established: 0,
    synSent: 0,
    synRetransmits: 0,
    timeWait: 0,
    closeWait: 0,
    retransmitting: 0,
    maxRetransmits: 0,
    zeroWindow: 0,
    sendQueueBytes: 0,
    receiveQueueBytes: 0,
    localPorts: [],
  };
  const facts = await told({ tcp, tcp6 }, { ...inventory, ownsPod: true });
  expect(facts.remotes).toEqual([
    {
      address: "10.2.0.9",
      port: 50051,
      established: 2,
      synSent: 1,
      synRetransmits: 2,
      timeWait: 1,
      closeWait: 1,
      retransmitting: 1,
      maxRetransmits: 4,
      zeroWindow: 1,
      sendQueueBytes: 15,
      receiveQueueBytes: 3,
      localPorts: [40_001, 40_002],
    },
    { ...none, address: "fd00::9", port: 50051, established: 1, localPorts: [40_009] },
  ]);
  expect(facts.otherRemotes).toEqual([
    { ...none, address: "10.9.9.9", port: 5432, synSent: 1, synRetransmits: 5 },
    { ...none, address: "10.2.0.9", port: 5432, established: 1, localPorts: [40_006] },
  ]);
});

it("does not tell acceptance where the kernel says no inode, or no queue", async () => {
  const noInodes = [listens("0.0.0.0:50051", { inode: 0 }), { inode: 0 }];
  expect(await told({ tcp: noInodes })).toMatchObject({
    tellsAcceptance: false,
    listeners: [{ address: "0.0.0.0", port: 50051, queued: 0 }],
  });
  const noQueues = [listens("0.0.0.0:50051", { tail: "1 0x0000000000000000 0 0 0 0 -1" })];
  expect(await told({ tcp: noQueues })).toMatchObject({ tellsAcceptance: false });
});

it.each([
  ["Envoy's", "0.0.0.0:15006", { mesh: true }],
  ["Linkerd's", "127.0.0.1:4140", { mesh: true }],
  ["the kubelet's", "0.0.0.0:10250", { mesh: false, hostNetwork: true }],
])("recognises %s listener around the app", async (_whose, local, want) => {
  await writeFile(join(folder, "tcp"), tableText([listens(local)]));
  const { surroundings } = await factsOf(app, {}, folder);
  expect(surroundings).toMatchObject(want);
});

it("says why there is nothing to read", async () => {
  const table = createSocketTable({ clock: systemClock, procNet: join(folder, "none") });
  const own = { interests: [app], ownPorts: new Set<number>(), ownListeners: [] };
  expect(await table.read({ ...own, signal: never })).toEqual({
    outcome: "unavailable",
    reason: `${folder}/none/tcp does not exist`,
    fix: "Run the agent in the app's pod on Linux, with /proc readable.",
  });
});

it("tells nothing of a table that it could not read to its end", async () => {
  const table = createSocketTable({ clock: systemClock });
  const own = { interests: [app], ownPorts: new Set<number>(), ownListeners: [] };
  expect(await table.read({ ...own, signal: AbortSignal.abort() })).toEqual({ outcome: "aborted" });
});

it("reads a table of twenty thousand rows whole, and lets the event loop turn meanwhile", async () => {
  const rows = Array.from({ length: 20_000 }, (_, i) => ({
    local: "10.1.0.5:50051",
    remote: `10.3.${i >> 8}.${i & 255}:${1_024 + i}`,
    receiveQueue: 1,
  }));
  let turns = 0;
  let isReading = true;
  const turn = () => {
    turns += 1;
    if (isReading) setImmediate(turn);
  };
  turn();
  const { inbound } = await told({ tcp: rows });
  isReading = false;

  expect(inbound).toMatchObject({ established: 20_000, receiveQueueBytes: 20_000 });
  expect(turns).toBeGreaterThan(40); // 3 MB in chunks of 64 KiB
});

/** A server that listens in a thread of its own which never comes to accepting. */
async function startFrozenServer(): Promise<number> {
  const code = `
    const { parentPort } = require("node:worker_threads");
    const server = require("node:net").createServer().listen(0, "127.0.0.1", () => {
      parentPort.postMessage(server.address().port);
      // The message leaves by itself; this thread does nothing any more.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    });`;
  const worker = new Worker(code, { eval: true });
  cleanUp.push(() => worker.terminate());
  const [port] = await once(worker, "message");
  return port as number;
}

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => socket.destroy());
  cleanUp.push(async () => {
    socket.destroy();
  });
  await once(socket, "connect");
  return socket;
}

it("sees, in the real table, connections that a frozen app never accepts", async () => {
  const port = await startFrozenServer();
  const sockets = await Promise.all([dial(port), dial(port), dial(port)]);
  for (const socket of sockets) socket.write("0123456789");
  const ours = sockets[0]?.localPort ?? 0;
  const interest = { ...app, port, keptPort: ours };
  const facts = await factsOf(interest, { ownPorts: new Set([ours]) });

  expect(facts).toMatchObject({
    listeners: [{ address: "127.0.0.1", port, queued: 3, inode: expect.any(Number) }],
    // At most 40 of them are told, and the machine may have more.
    listening: expect.arrayContaining([expect.stringMatching(/:\d+$/)]),
    sharesNetwork: true,
    inbound: { established: 2, unaccepted: 2, loopbackClients: 2, receiveQueueBytes: 20 },
    keptReceiveQueueBytes: 10,
    tellsAcceptance: true,
    overflows: expect.any(Number),
    drops: expect.any(Number),
  });
});

it("sees, in the real table, what the app has dialled", async () => {
  const server = createServer((socket) => socket.on("error", () => socket.destroy()));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  cleanUp.push(async () => server.close());
  const sockets = await Promise.all([dial(port), dial(port)]);
  const { remotes } = await factsOf({ ...inventory, port, addresses: ["127.0.0.1"] });

  const localPorts = sockets.map(({ localPort }) => localPort ?? 0).toSorted((a, b) => a - b);
  expect(remotes).toMatchObject([{ address: "127.0.0.1", port, established: 2, localPorts }]);
});
