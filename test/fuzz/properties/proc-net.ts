import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { isIP } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parseNetstat } from "../../../src/host/netstat.ts";
import { createRowFold } from "../../../src/host/row-fold.ts";
import { addressText, parseTcpRow, type TcpRow } from "../../../src/host/tcp-row.ts";
import { readTcpTable } from "../../../src/host/tcp-table.ts";
import type { KernelInterest } from "../../../src/model/job.ts";
import { rowText, tableText } from "../../support/proc-net.ts";
import { mutated } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const port = fc.nat(65_535);
const count = fc.oneof(fc.nat(3), fc.nat(0xffffffff));
const address = fc.oneof(
  fc.ipV4(),
  fc.constantFrom("127.0.0.1", "0.0.0.0", "[::1]", "[::]", "[::ffff:10.1.2.3]"),
  fc
    .array(fc.nat(0xffff), { minLength: 8, maxLength: 8 })
    .map((groups) => `[${groups.map((group) => group.toString(16)).join(":")}]`),
);
const state = fc.constantFrom("01", "02", "03", "06", "07", "08", "0A", "0B");
const row = fc.record({
  local: fc.tuple(address, port).map(([host, number]) => `${host}:${number}`),
  remote: fc.tuple(address, port).map(([host, number]) => `${host}:${number}`),
  state,
  sendQueue: count,
  receiveQueue: count,
  timer: fc.constantFrom("00", "01", "02", "04"),
  retransmits: fc.nat(255),
  inode: count,
});

function parse(line: string): TcpRow | undefined {
  const bytes = Buffer.from(line);
  return parseTcpRow(bytes, 0, bytes.length);
}

export const tcpRows = defineProperty({
  name: "tcp-rows",
  runs: 200,
  input: row,
  check(given) {
    const read = parse(rowText(given));
    assert.ok(read);
    assert.deepEqual(
      {
        state: read.state,
        sendQueue: read.sendQueue,
        receiveQueue: read.receiveQueue,
        timer: read.timer,
        retransmits: read.retransmits,
        inode: read.inode,
        localPort: read.localPort,
        remotePort: read.remotePort,
      },
      {
        state: Number.parseInt(given.state, 16),
        sendQueue: given.sendQueue,
        receiveQueue: given.receiveQueue,
        timer: Number.parseInt(given.timer, 16),
        retransmits: given.retransmits,
        inode: given.inode,
        localPort: portOf(given.local),
        remotePort: portOf(given.remote),
      },
    );
    assert.equal(addressText(read.local), canonical(given.local));
    assert.equal(addressText(read.remote), canonical(given.remote));
  },
});

function portOf(socket: string): number {
  return Number(socket.slice(socket.lastIndexOf(":") + 1));
}

/** The text of an address as the URL parser of the platform writes it; a mapped one as IPv4. */
function canonical(socket: string): string {
  const host = socket.slice(0, socket.lastIndexOf(":"));
  const mapped = /^\[::ffff:(\d.*)\]$/.exec(host)?.[1];
  if (mapped !== undefined) return mapped;
  const shown = new URL(`http://${host}/`).hostname.replace(/^\[(.*)\]$/, "$1");
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(shown) ?? [];
  if (high === undefined || low === undefined) return shown;
  const bytes = [high, low].flatMap((group) => {
    const number = Number.parseInt(group, 16);
    return [number >> 8, number & 255];
  });
  return bytes.join(".");
}

const TABLE = tableText([
  { local: "0.0.0.0:50051", remote: "0.0.0.0:0", state: "0A", receiveQueue: 3 },
  { local: "10.1.0.5:50051", remote: "10.2.0.9:40000", inode: 0 },
  { local: "[::1]:50051", remote: "[fd00:0:0:0:0:0:0:9]:443", state: "02", retransmits: 4 },
]);

export const tcpTables = defineProperty({
  name: "tcp-tables",
  runs: 30,
  input: fc.record({
    table: mutated([TABLE], ["0A", "FFFFFFFF", ":"]),
    times: fc.constantFrom(1, 1, 1, 400),
  }),
  async check({ table, times }) {
    const text = table.repeat(times);
    const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-fuzz-"));
    const rows: TcpRow[] = [];
    try {
      writeFileSync(join(folder, "tcp"), text);
      await readTcpTable(join(folder, "tcp"), new AbortController().signal, (one) =>
        rows.push(one),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
    const whole = text
      .split("\n")
      .slice(0, -1)
      .flatMap((line) => parse(line) ?? []);
    assert.deepEqual(rows, whole);
    assertFold(rows);
  },
});

const INTERESTS: readonly KernelInterest[] = [
  { target: "app", role: "app", port: 50_051, addresses: [], ownsPod: true },
  {
    target: "inventory",
    role: "upstream",
    port: 443,
    addresses: ["fd00::9", "10.2.0.9"],
    ownsPod: false,
  },
];

export const foldedRows = defineProperty({
  name: "folded-rows",
  runs: 60,
  input: fc.array(row, { maxLength: 40 }),
  check: (rows) => assertFold(rows.flatMap((given) => parse(rowText(given)) ?? [])),
});

/** What is told of any rows is bounded, and made of addresses and counts. */
function assertFold(rows: readonly TcpRow[]): void {
  const fold = createRowFold({
    interests: INTERESTS,
    ownPorts: new Set([40_000]),
    ownListeners: [19_464],
  });
  for (const one of rows) fold.add(one);
  for (const interest of INTERESTS) {
    const { listeners, listening, inbound, remotes, otherRemotes } = fold.factsFor(interest);
    assert.ok(listeners.length <= 2000 && listening.length <= 40 && otherRemotes.length <= 100);
    for (const { address: told } of [...listeners, ...remotes, ...otherRemotes])
      assert.notEqual(isIP(told), 0, told);
    assert.ok(Object.values(inbound).every((one) => Number.isSafeInteger(one) && one >= 0));
    for (const { localPorts, address: _address, ...counts } of [...remotes, ...otherRemotes]) {
      assert.ok(localPorts.length <= 64);
      assert.ok(Object.values(counts).every((one) => Number.isSafeInteger(one) && one >= 0));
    }
  }
}

const NETSTAT = "TcpExt: TW ListenOverflows ListenDrops\nTcpExt: 9 3 4\nIpExt: X\nIpExt: 1\n";

export const netstatTexts = defineProperty({
  name: "netstat-texts",
  runs: 100,
  input: mutated([NETSTAT], ["ListenOverflows", "TcpExt:", "-3", "0x10", "1e3"]),
  check(text) {
    const counters = Object.entries(parseNetstat(text));
    assert.ok(counters.every(([name]) => name === "overflows" || name === "drops"));
    assert.ok(
      counters.every(([, value]) => Number.isSafeInteger(value) && value >= 0),
      text,
    );
  },
});
