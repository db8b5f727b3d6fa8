import { afterEach, describe, expect, test } from "vitest";
import { type OpenedConnection, openConnection } from "../../src/grpc/connection.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { issue } from "../support/certificates.ts";
import { createManualClock } from "../support/clock.ts";
import { faultOf } from "../support/faults.ts";
import { answers, startFaultyServer } from "../support/faulty-server.ts";
import { blockOf, FLOODS, recordByRecord } from "../support/hostile/floods.ts";
import {
  data,
  FLAG,
  frame,
  GRPC_HEADERS,
  GRPC_OK,
  headers,
  ping,
  settings,
} from "../support/hostile/frames.ts";
import { type RawServerOptions, startRawServer } from "../support/hostile/raw-server.ts";
import { aResolver, aTarget } from "../support/targets.ts";

const CALL = { path: "/order.OrderService/GetOrder", request: new Uint8Array() };
const MIB = 2 ** 20;
/** What the kernel's buffers hold of both sides: more than this, and we have read. */
const MOST_BUFFERED = 6 * MIB;
const MOST_TAKEN = 4 * MOST_BUFFERED;

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

async function open(
  address: string,
  clock = systemClock,
  mode: "plaintext" | "tls" = "plaintext",
): Promise<OpenedConnection> {
  const connection = await openConnection(aTarget(address, { tls: { mode } }), {
    clock,
    signal: new AbortController().signal,
    resolver: aResolver(),
  });
  cleanUps.push(() => connection.close());
  return connection;
}

const PATIENT = { interval: 1, timeout: 10_000 };

/** How a call ends, and the connection with it. */
async function endOfCall(connection: OpenedConnection) {
  const { reason } = await faultOf(
    connection.unary({ ...CALL, signal: systemClock.deadline(10_000) }),
  );
  return { reason, isOpen: connection.isOpen };
}

describe("a flood that we hear ends the connection at once", () => {
  test.each(["SETTINGS that change", "informational HEADERS", "DATA byte by byte"] as const)(
    "of %s",
    async (name) => {
      const server = await serve(FLOODS[name]);

      expect(await endOfCall(await open(server.address))).toEqual({
        reason: "flooded",
        isOpen: false,
      });
      expect(server.taken).toBeLessThan(MOST_TAKEN);
    },
  );

  test("of fields in CONTINUATION, which the library takes for an attack", async () => {
    const server = await serve(FLOODS["fields in CONTINUATION"]);
    const connection = await open(server.address);

    expect((await endOfCall(connection)).reason).toBe("stream_reset");
    expect(await connection.ended).toEqual({ by: "error" });
    expect(server.taken).toBeLessThan(MOST_TAKEN);
  });

  // Node's own bounds: of what it holds to answer, of empty frames, of frames of one block.
  test.each(["PING", "empty CONTINUATION", "empty DATA"] as const)(
    "of %s, which the library bounds",
    async (name) => {
      const server = await serve(FLOODS[name]);

      expect(await endOfCall(await open(server.address))).toEqual({
        reason: "connection_closed",
        isOpen: false,
      });
      expect(server.taken).toBeLessThan(MOST_TAKEN);
    },
  );
});

describe("a flood that the library swallows ends the connection after a second", () => {
  test.each([
    ["WINDOW_UPDATE", "flooded"],
    ["PRIORITY", "flooded"],
    ["ORIGIN", "flooded"],
    ["ALTSVC", "flooded"],
    ["frames of no known type", "flooded"],
    ["RST_STREAM", "stream_reset"],
    ["trailing HEADERS", "stream_reset"],
    ["empty messages", "malformed_reply"],
  ] as const)("of %s; the call ends with %s", async (name, reason) => {
    const clock = createManualClock();
    const server = await serve(FLOODS[name]);
    const connection = await open(server.address, clock);
    const call = endOfCall(connection);
    await expect.poll(() => server.taken, PATIENT).toBeGreaterThan(MOST_BUFFERED);
    await clock.advance(1000);

    expect((await call).reason).toBe(reason);
    expect(await connection.ended).toEqual({ by: "flood" });
  });
});

describe("a flood inside TLS ends the connection too", () => {
  test.each(["SETTINGS that change", "informational HEADERS", "DATA byte by byte"] as const)(
    "of %s, that we hear",
    async (name) => {
      const server = await serve({ ...FLOODS[name], tls: await issue() });
      const connection = await open(server.address, systemClock, "tls");

      expect(await endOfCall(connection)).toEqual({ reason: "flooded", isOpen: false });
      expect(server.taken).toBeLessThan(MOST_TAKEN);
    },
  );

  test.each(["WINDOW_UPDATE", "frames of no known type"] as const)(
    "of %s, that the library swallows",
    async (name) => {
      const clock = createManualClock();
      const server = await serve({ ...FLOODS[name], tls: await issue() });
      const connection = await open(server.address, clock, "tls");
      const call = endOfCall(connection);
      await expect.poll(() => server.taken, PATIENT).toBeGreaterThan(MOST_BUFFERED);
      await clock.advance(1000);

      expect((await call).reason).toBe("flooded");
      expect(await connection.ended).toEqual({ by: "flood" });
    },
  );

  test("of PING, each in a record of its own", async () => {
    const server = await serve({ ...recordByRecord(ping), tls: await issue() });
    const connection = await open(server.address, systemClock, "tls");

    expect((await endOfCall(connection)).isOpen).toBe(false);
    expect(server.taken).toBeLessThan(MOST_TAKEN);
  });
});

test("the end by a flood is told", async () => {
  const server = await serve(FLOODS["informational HEADERS"]);
  const connection = await open(server.address);
  await endOfCall(connection);

  expect(await connection.ended).toEqual({ by: "flood" });
});

/** Greets with these bytes besides; answers each call with `before` and then properly. */
function talkative(besides: Uint8Array, before: Uint8Array = Buffer.alloc(0)): RawServerOptions {
  return {
    greet: (client) => client.write(settings(), besides),
    call: (client, stream) =>
      client.write(
        before,
        headers(stream, GRPC_HEADERS),
        data(stream, [0, 0, 0, 0, 0]),
        headers(stream, GRPC_OK, FLAG.endHeaders | FLAG.endStream),
      ),
  };
}

async function isAnswered(connection: OpenedConnection): Promise<boolean> {
  const call = connection.unary({ ...CALL, signal: systemClock.deadline(10_000) });
  return call.then(
    () => true,
    () => false,
  );
}

describe("frames that are heard, in one second", () => {
  const more = (count: number) => blockOf(settings(), count * settings().length);

  test("may be a hundred, and in the next second a hundred again", async () => {
    const clock = createManualClock();
    const server = await serve(talkative(more(49), more(50)));
    const connection = await open(server.address, clock);
    const first = await isAnswered(connection);
    await clock.advance(1000);
    const second = [await isAnswered(connection), await isAnswered(connection)];

    expect([first, ...second]).toEqual([true, true, true]);
  });

  test("may not be one more", async () => {
    const server = await serve(talkative(more(50), more(50)));
    const connection = await open(server.address, createManualClock());

    expect([await isAnswered(connection), await connection.ended]).toEqual([
      false,
      { by: "flood" },
    ]);
  });
});

describe("bytes that are no message, in one second", () => {
  const KIB = 1024;
  const unknown = (length: number) => blockOf(frame({ type: 200 }, Buffer.alloc(KIB - 9)), length);

  test("may be almost a mebibyte", async () => {
    const clock = createManualClock();
    const server = await serve(talkative(unknown(MIB - KIB)));
    const connection = await open(server.address, clock);
    const first = await isAnswered(connection);
    await clock.advance(1000);

    expect([first, await isAnswered(connection)]).toEqual([true, true]);
  });

  test("may not be more", async () => {
    const clock = createManualClock();
    const server = await serve(talkative(unknown(MIB)));
    const connection = await open(server.address, clock);
    const first = await isAnswered(connection);
    await clock.advance(1000);

    expect([first, await connection.ended]).toEqual([true, { by: "flood" }]);
  });

  test("are not those of messages", async () => {
    const clock = createManualClock();
    const message = Buffer.alloc(5 + 3 * MIB);
    message.writeUInt32BE(3 * MIB, 1);
    const server = await startFaultyServer({ fallback: answers.body(message) });
    cleanUps.push(() => server.stop());
    const connection = await open(server.address, clock);
    const first = await isAnswered(connection);
    await clock.advance(1000);

    expect([first, connection.isOpen]).toEqual([true, true]);
  });
});

test("a quiet connection is looked at once a second, and again ten times where bytes come", async () => {
  const manual = createManualClock();
  const looks: number[] = [];
  const sleep = (ms: number, signal?: AbortSignal) => {
    looks.push(ms);
    return manual.sleep(ms, signal);
  };
  const sign = blockOf(frame({ type: 200 }, Buffer.alloc(1015)), 100 * 1024);
  const server = await serve(talkative(settings(), sign));
  const connection = await open(server.address, { ...manual, sleep });
  await manual.advance(12_000);
  const quiet = looks.splice(0);
  await isAnswered(connection);
  await manual.advance(12_000);

  const often = (count: number) => Array<number>(count).fill(100);
  expect(quiet).toEqual([...often(100), 1000, 1000, 1000]);
  expect(looks).toEqual([...often(100), 1000, 1000]);
});

test("a flood on a connection that was quiet ends it within a second", async () => {
  const clock = createManualClock();
  const flood = blockOf(frame({ type: 200 }, Buffer.alloc(1015)), MIB + 10_240);
  const server = await serve(talkative(settings(), flood));
  const connection = await open(server.address, clock);
  await clock.advance(60_000);
  const first = await isAnswered(connection);
  await clock.advance(1000);

  expect([first, await connection.ended]).toEqual([true, { by: "flood" }]);
});

test("nothing is watched any more when the connection has ended", async () => {
  const clock = createManualClock();
  const server = await serve(talkative(settings()));
  const connection = await open(server.address, clock);
  await clock.advance(60_000);
  const whileOpen = clock.pending;
  connection.close();
  await connection.ended;
  await clock.advance(60_000);

  expect([whileOpen, clock.pending]).toEqual([1, 0]);
});
