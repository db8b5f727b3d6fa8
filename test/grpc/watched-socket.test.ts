import { once } from "node:events";
import http2 from "node:http2";
import net from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { ProbeClient } from "../../src/grpc/client.ts";
import { WatchedSocket } from "../../src/grpc/watched-socket.ts";
import type { TlsMaterial } from "../../src/net/handshake.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { issue } from "../support/certificates.ts";
import { FLOODS, recordByRecord } from "../support/hostile/floods.ts";
import { continuation, fields, GRPC_HEADERS, headers, ping } from "../support/hostile/frames.ts";
import { type RawServerOptions, startRawServer } from "../support/hostile/raw-server.ts";
import { aTarget } from "../support/targets.ts";

/** What the kernel's buffers hold of both sides, and some reads. */
const MOST_TAKEN = 24 * 2 ** 20;
const PATIENT = { timeout: 10_000 };
const CALL = {
  path: "/order.OrderService/GetOrder",
  requests: [Buffer.alloc(0)],
  metadata: [],
  signal: new AbortController().signal,
};

let cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  const all = cleanUps.toReversed();
  cleanUps = [];
  for (const cleanUp of all) await cleanUp();
});

async function serve(options: RawServerOptions) {
  const server = await startRawServer(options);
  cleanUps.push(() => server.stop());
  return server;
}

function clientOf(address: string, tls?: TlsMaterial): ProbeClient {
  const target = aTarget(address);
  const options = { target, compression: "identity", clock: systemClock } as const;
  const client = new ProbeClient({ ...options, ...(tls === undefined ? {} : { tls }) });
  cleanUps.push(() => client.close());
  return client;
}

const { "empty messages": _lawfulFrames, ...floods } = FLOODS;

describe("a probe's connection ends where the server sends nothing but", () => {
  it.each(Object.entries<RawServerOptions>(floods))("%s", async (_name, flood) => {
    const server = await serve(flood);
    const { error } = await clientOf(server.address).call({ ...CALL, deadlineMs: 10_000 });
    expect(error?.fault).toMatchObject({ phase: "http2", reason: "flooded" });
    await expect.poll(() => server.open, PATIENT).toBe(0);
    expect(server.taken).toBeLessThan(MOST_TAKEN);
  });
});

describe("a probe's connection ends where the server sends, inside TLS, nothing but", () => {
  // Records are smaller than reads: a call may have its answer before there are too many.
  const { "trailing HEADERS": trailing, "empty DATA": empty, ...others } = floods;
  const inTls = { ...others, "PING, each in a record": recordByRecord(ping) };

  it.each(Object.entries<RawServerOptions>(inTls))("%s", async (_name, flood) => {
    const server = await serve({ ...flood, tls: await issue() });
    const { error } = await clientOf(server.address, {}).call({ ...CALL, deadlineMs: 10_000 });
    expect(error?.fault).toMatchObject({ phase: "http2", reason: "flooded" });
    await expect.poll(() => server.open, PATIENT).toBe(0);
    expect(server.taken).toBeLessThan(MOST_TAKEN);
  });

  it.each([
    ["trailing HEADERS", trailing],
    ["empty DATA", empty],
  ])("%s, whatever the call came to", async (_name, flood) => {
    const server = await serve({ ...flood, tls: await issue() });
    await clientOf(server.address, {}).call({ ...CALL, deadlineMs: 10_000 });
    await expect.poll(() => server.open, PATIENT).toBe(0);
    expect(server.taken).toBeLessThan(MOST_TAKEN);
  });
});

it("ends a probe's connection where the server goes on after its call", async () => {
  const server = await serve(FLOODS["empty messages"]);
  const { error } = await clientOf(server.address).call({ ...CALL, deadlineMs: 10_000 });
  expect(error?.fault).toMatchObject({ phase: "rpc", reason: "message_too_large" });
  await expect.poll(() => server.open, PATIENT).toBe(0);
});

it("has a new connection for the next call", async () => {
  let calls = 0;
  const server = await serve({
    call: (client, stream) => {
      calls += 1;
      FLOODS["informational HEADERS"].call?.(client, stream);
    },
  });
  const client = clientOf(server.address);
  const first = await client.call({ ...CALL, deadlineMs: 10_000 });
  await expect.poll(() => server.open, PATIENT).toBe(0);
  const second = await client.call({ ...CALL, deadlineMs: 10_000 });
  const reasons = [first, second].map(({ error }) => error?.fault.reason);
  expect([reasons, calls, server.accepted]).toEqual([["flooded", "flooded"], 2, 2]);
});

/** So much that the young generation is collected. */
function makeGarbage(): number {
  return Array.from({ length: 200_000 }, (_, n) => ({ n })).length;
}

/** Some calls whose fields begin and never end, destroyed with their session. */
async function callAndDestroy(port: number): Promise<void> {
  const wire = net.connect(port, "127.0.0.1");
  await once(wire, "connect");
  const watched = new WatchedSocket(wire, { nowMs: () => 0, refused: () => {} });
  const session = http2.connect("http://localhost", { createConnection: () => watched });
  session.on("error", () => {});
  await once(session, "remoteSettings");
  for (let n = 0; n < 3; n++) {
    const stream = session.request({ ":path": CALL.path });
    stream.on("error", () => {});
  }
  // Until the fields have come; nothing tells of a block that has not ended.
  await systemClock.sleep(8);
  session.destroy();
}

/** Without the watch Node 20 ends this very process within a few collections (`keep-behind.test.ts`). */
it("survives blocks of fields that never ended, collected with their session", async () => {
  const some = fields(Array.from({ length: 20 }, (_, n) => [`x-${n}`, "v".repeat(100)] as const));
  const server = await serve({
    call: (client, stream) =>
      client.write(headers(stream, GRPC_HEADERS, 0), continuation(stream, some)),
  });
  for (let turn = 0; turn < 100; turn++) {
    await callAndDestroy(server.port);
    if (turn % 5 === 0) makeGarbage();
  }
  expect(server.accepted).toBe(100);
});

/** Node asserts that nothing is written while an end is on its way, which ends the process. */
describe("a call that is cancelled at the moment of the server's end leaves the process alone,", () => {
  async function meetEnd() {
    const server = await serve({ call: ({ socket }) => void socket.end() });
    const wire = net.connect(server.port, "127.0.0.1");
    await once(wire, "connect");
    const watched = new WatchedSocket(wire, { nowMs: () => 0, refused: () => {} });
    const session = http2.connect("http://localhost", { createConnection: () => watched });
    session.on("error", () => {});
    await once(session, "remoteSettings");
    const stream = session.request({ ":path": CALL.path, ":method": "POST" });
    stream.on("error", () => {});
    const closed = new Promise<void>((resolve) => session.once("close", resolve));
    const cancel = () => {
      session.ping(() => {});
      stream.close(http2.constants.NGHTTP2_CANCEL);
    };
    return { watched, closed, cancel };
  }

  it("whoever waits for that", async () => {
    const { watched, closed, cancel } = await meetEnd();
    await once(watched, "end");
    cancel();
    await closed;
    expect(watched.destroyed).toBe(true);
  });

  it.each([0, 1, 2, 3, 4, 5, 6, 7])("after %i ticks", async (ticks) => {
    const { watched, closed, cancel } = await meetEnd();
    watched.once("end", () => after(ticks, cancel));
    await closed;
    expect(watched.destroyed).toBe(true);
  });
});

function after(ticks: number, what: () => void): void {
  if (ticks === 0) what();
  else process.nextTick(after, ticks - 1, what);
}
