import { afterEach, describe, expect, test } from "vitest";
import type { CallFault } from "../../src/grpc/call-error.ts";
import { type OpenOptions, openConnection } from "../../src/grpc/connection.ts";
import { createOwnCalls } from "../../src/grpc/own-calls.ts";
import type { Target } from "../../src/model/target.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { faultOf } from "../support/faults.ts";
import {
  answers,
  type FaultyServer,
  type FaultyServerOptions,
  type Handler,
  SERVING,
  startFaultyServer,
} from "../support/faulty-server.ts";
import { aResolver, aTarget } from "../support/targets.ts";

const PATH = "/order.OrderService/GetOrder";
const REQUEST = { path: PATH, request: new Uint8Array() };
const PLAINTEXT = { tls: { mode: "plaintext" } } as const;

let cleanUps: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  const all = cleanUps.toReversed();
  cleanUps = [];
  for (const cleanUp of all) await cleanUp();
});

async function serve(options: FaultyServerOptions = {}): Promise<FaultyServer> {
  const server = await startFaultyServer(options);
  cleanUps.push(() => server.stop());
  return server;
}

async function open(
  server: FaultyServer,
  stated: Partial<Target> = PLAINTEXT,
  options: Partial<OpenOptions> = {},
) {
  const connection = await openConnection(aTarget(server.address, stated), {
    clock: systemClock,
    signal: soon(),
    resolver: aResolver(),
    ...options,
  });
  cleanUps.push(() => connection.close());
  return connection;
}

function soon(ms = 2000): AbortSignal {
  return systemClock.deadline(ms);
}

async function callFault(handler: Handler, timeoutMs = 2000): Promise<Omit<CallFault, "cause">> {
  const connection = await open(await serve({ fallback: handler }));
  return faultOf(connection.unary({ ...REQUEST, signal: soon(timeoutMs) }));
}

describe("a connection", () => {
  test("answers a unary call with message, headers and trailers", async () => {
    const server = await serve({
      fallback: (stream) => {
        stream.respond(
          { ":status": 200, "content-type": "application/grpc+proto", "x-a": ["1", "2"] },
          { waitForTrailers: true },
        );
        stream.once("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0", "x-t": "3" }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, ...SERVING]));
      },
    });
    const connection = await open(server, {
      ...PLAINTEXT,
      metadata: [{ key: "x-tenant", value: { kind: "literal", value: "a" } }],
    });
    const answer = await connection.unary({ ...REQUEST, signal: soon(), timeoutMs: 1500.2 });

    expect(Buffer.from(answer.message)).toEqual(Buffer.from(SERVING));
    expect(answer.headers).toContainEqual(["x-a", "1, 2"]);
    expect(answer.trailers).toContainEqual(["x-t", "3"]);
    expect(server.calls).toEqual([
      expect.objectContaining({
        ":method": "POST",
        ":scheme": "http",
        ":authority": server.address,
        ":path": PATH,
        te: "trailers",
        "content-type": "application/grpc",
        "grpc-timeout": "1501m",
        "grpc-accept-encoding": "identity",
        "user-agent": "grpc-doctor",
        "x-tenant": "a",
      }),
    ]);
  });

  test("shows the SETTINGS when it is handed out, and an unlimited one as absent", async () => {
    const limited = await open(
      await serve({ settings: { maxConcurrentStreams: 7, maxHeaderListSize: 8192 } }),
    );
    const unlimited = await open(await serve());

    expect(limited.settings).toEqual({
      maxConcurrentStreams: 7,
      initialWindowSize: 65535,
      maxFrameSize: 16384,
      maxHeaderListSize: 8192,
    });
    expect(unlimited.settings).toEqual({ initialWindowSize: 65535, maxFrameSize: 16384 });
    expect(limited.isOpen).toBe(true);
  });

  test("works over a unix socket", async () => {
    const path = `/tmp/faulty-${process.pid}.sock`;
    const connection = await open(await serve({ path }));
    const answer = await connection.unary({
      path: "/grpc.health.v1.Health/Check",
      request: new Uint8Array(),
      signal: soon(),
    });

    expect(Buffer.from(answer.message)).toEqual(Buffer.from(SERVING));
    expect([connection.address, connection.localPort]).toEqual([`unix:${path}`, undefined]);
  });

  test("leaves no complaint in the server's log", async () => {
    const server = await serve();
    const first = await open(server);
    first.close();
    const second = await open(server);
    await second.unary({ ...REQUEST, signal: soon() }).catch(() => {});
    await second.ping(soon());
    second.close();

    expect(await Promise.all([first.ended, second.ended])).toEqual([{ by: "us" }, { by: "us" }]);
    await expect.poll(() => server.open).toBe(0);
    expect(server.complaints).toEqual([]);
  });

  test("streams each message as it comes, and cancels when its consumer stops", async () => {
    const server = await serve({ fallback: answers.stall([1], [2], [3]) });
    const connection = await open(server);
    const seen: number[] = [];
    for await (const message of connection.serverStream({ ...REQUEST, signal: soon() })) {
      if (seen.push(message[0] ?? 0) === 2) break;
    }

    expect(seen).toEqual([1, 2]);
    await expect.poll(() => connection.openCalls).toBe(0);
    expect(connection.isOpen).toBe(true);
  });

  test("counts each call of its own in one column", async () => {
    const ledger = createOwnCalls();
    const server = await serve({
      handlers: { "/a/Ok": answers.messages([]), "/a/Fails": answers.status(13) },
    });
    const connection = await open(server, PLAINTEXT, { ownCalls: ledger.forTarget("app") });
    const paths = ["/a/Ok", "/a/Ok", "/a/Fails", "/a/Unknown"];
    await Promise.allSettled(
      paths.map((path) => connection.unary({ ...REQUEST, path, signal: soon() })),
    );

    expect(ledger.read("app")).toEqual({ started: 4, succeeded: 2, failed: 1, unimplemented: 1 });
    expect(ledger.read("other")).toEqual({ started: 0, succeeded: 0, failed: 0, unimplemented: 0 });
  });
});

describe("a failed call tells", () => {
  const rows: readonly (readonly [string, Handler, Partial<CallFault>])[] = [
    [
      "a status, with its text decoded",
      answers.status(5, "no order %E2%9C%93 100%"),
      {
        reason: "status",
        status: "NOT_FOUND",
        statusText: "no order ✓ 100%",
        answer: {
          path: PATH,
          httpStatus: 200,
          contentType: "application/grpc",
          grpcStatus: 5,
          grpcMessage: "no order ✓ 100%",
        },
      },
    ],
    [
      "a status after messages",
      answers.body(Buffer.from([0, 0, 0, 0, 0]), { "grpc-status": "13" }),
      { reason: "status", status: "INTERNAL" },
    ],
    ["an unknown status", answers.status(99), { reason: "status", status: "UNKNOWN" }],
    [
      "a refused stream",
      answers.reset(7),
      { reason: "stream_refused", status: "UNAVAILABLE", resetCode: 7 },
    ],
    [
      "an internal reset",
      answers.reset(2),
      { reason: "stream_reset", status: "INTERNAL", resetCode: 2 },
    ],
    [
      "a cancelled stream",
      answers.reset(8),
      { reason: "stream_reset", status: "CANCELLED", resetCode: 8 },
    ],
    [
      "a reset for too much",
      answers.reset(11),
      { reason: "stream_reset", status: "RESOURCE_EXHAUSTED", resetCode: 11 },
    ],
    [
      "a proxy's page",
      answers.http(502, "text/html", "<html>\n  <h1>Bad Gateway</h1>", { server: "nginx" }),
      {
        reason: "not_grpc",
        status: "UNAVAILABLE",
        answer: {
          path: PATH,
          httpStatus: 502,
          contentType: "text/html",
          serverHeader: "nginx",
          bodyStart: "<html> <h1>Bad Gateway</h1>",
          decodedSize: "html",
        },
      },
    ],
    [
      "a page that is longer than what is kept of it",
      answers.http(200, "text/html", "<html>".repeat(100_000)),
      {
        reason: "not_grpc",
        status: "UNKNOWN",
        answer: expect.objectContaining({ httpStatus: 200, contentType: "text/html" }),
      },
    ],
    [
      "gRPC-Web",
      answers.http(200, "application/grpc-web+proto"),
      {
        reason: "not_grpc",
        status: "UNKNOWN",
        answer: { path: PATH, httpStatus: 200, contentType: "application/grpc-web+proto" },
      },
    ],
    [
      "text under gRPC's content type",
      answers.body(Buffer.from("<!DOCTYPE html>")),
      {
        reason: "not_grpc",
        answer: expect.objectContaining({ bodyStart: "<!DOCTYPE html>", decodedSize: "!DOC" }),
      },
    ],
    [
      "an end without status",
      answers.withoutStatus(),
      {
        reason: "not_grpc",
        status: "UNKNOWN",
        answer: expect.objectContaining({ httpStatus: 200 }),
      },
    ],
    ["OK without a message", answers.messages(), { reason: "malformed_reply" }],
    ["one message too many", answers.messages([1], [2]), { reason: "malformed_reply" }],
    [
      "a message that stops half-way",
      answers.body(Buffer.from([0, 0, 0, 0, 9, 1])),
      { reason: "malformed_reply" },
    ],
    [
      "a compressed message",
      answers.body(Buffer.from([1, 0, 0, 0, 1, 1])),
      { reason: "malformed_reply" },
    ],
    [
      "a giant message, before it is held",
      answers.body(Buffer.from([0, 0, 64, 0, 1, 1])),
      { reason: "message_too_large" },
    ],
  ];

  test.each(rows)("%s", async (_sentence, handler, expected) => {
    expect(await callFault(handler)).toMatchObject({ phase: "rpc", ...expected });
  });

  test("that its deadline passed, and cancels", async () => {
    const server = await serve({ fallback: answers.silence() });
    const connection = await open(server);
    const fault = await faultOf(connection.unary({ ...REQUEST, signal: soon(30) }));

    expect(fault).toEqual({
      phase: "rpc",
      reason: "deadline",
      answer: { path: PATH, resetCode: 8 },
    });
    expect(connection.openCalls).toBe(0);
    expect(connection.isOpen).toBe(true);
  });

  test("that it was asked to stop", async () => {
    const connection = await open(await serve({ fallback: answers.silence() }));
    const stop = new AbortController();
    const failing = faultOf(connection.unary({ ...REQUEST, signal: stop.signal }));
    stop.abort();

    expect(await failing).toMatchObject({ phase: "rpc", reason: "agent" });
  });

  test("that the queue for a stream was as long as its deadline", async () => {
    const server = await serve({
      settings: { maxConcurrentStreams: 1 },
      fallback: answers.silence(),
    });
    const connection = await open(server);
    const first = faultOf(connection.unary({ ...REQUEST, signal: soon(80) }));
    const second = faultOf(connection.unary({ ...REQUEST, signal: soon(40) }));

    expect(await second).toMatchObject({ phase: "rpc", reason: "deadline" });
    expect(await first).toMatchObject({ phase: "rpc", reason: "deadline" });
    expect(server.calls).toHaveLength(1);
  });

  test("that we closed the connection", async () => {
    const connection = await open(await serve({ fallback: answers.silence() }));
    const failing = faultOf(connection.unary({ ...REQUEST, signal: soon() }));
    connection.close();

    expect(await failing).toMatchObject({ phase: "http2", reason: "subchannel_shutdown" });
    expect(await connection.ended).toEqual({ by: "us" });
  });
});

describe("an ended connection tells", () => {
  test("a GOAWAY with code and text", async () => {
    const server = await serve({
      goaway: { code: 11, debugText: "too_many_pings\nsecret", when: "after-call" },
      fallback: answers.silence(),
      handlers: { "/a/Ends": answers.messages([]) },
    });
    const goaways: unknown[] = [];
    const connection = await open(server, PLAINTEXT, {
      onGoaway: (goaway) => goaways.push(goaway),
    });
    const failing = faultOf(connection.unary({ ...REQUEST, signal: soon() }));
    await connection.unary({ ...REQUEST, path: "/a/Ends", signal: soon() });

    expect(await failing).toMatchObject({
      phase: "http2",
      reason: "goaway",
      status: "RESOURCE_EXHAUSTED",
      resetCode: 11,
    });
    expect(await connection.ended).toEqual({ by: "goaway" });
    expect(goaways).toEqual([{ at: expect.any(Number), code: 11, debugText: "too_many_pings" }]);
    expect(connection.isOpen).toBe(false);
  });

  test("a graceful GOAWAY, after which no call begins", async () => {
    const server = await serve({ goaway: { code: 0, debugText: "max_age", when: "after-call" } });
    const connection = await open(server);
    await faultOf(connection.unary({ ...REQUEST, signal: soon() }));

    expect(await connection.ended).toEqual({ by: "goaway" });
    expect(await faultOf(connection.unary({ ...REQUEST, signal: soon() }))).toMatchObject({
      phase: "http2",
      reason: "goaway",
      status: "UNAVAILABLE",
      resetCode: 0,
    });
    expect(connection.goaway).toEqual({ at: expect.any(Number), code: 0, debugText: "max_age" });
  });

  test("a reset by the peer", async () => {
    const server = await serve({ fallback: answers.silence() });
    const connection = await open(server);
    const failing = faultOf(connection.unary({ ...REQUEST, signal: soon() }));
    await expect.poll(() => server.calls).toHaveLength(1);
    await server.crash();

    expect(await failing).toMatchObject({
      phase: "http2",
      reason: "connection_reset",
      status: "UNAVAILABLE",
    });
    expect(await connection.ended).toEqual({ by: "rst", errno: "ECONNRESET" });
    expect(await faultOf(connection.ping(soon()))).toMatchObject({ phase: "http2" });
  });

  test("a close by the peer", async () => {
    const server = await serve({ fallback: (stream) => stream.session?.destroy() });
    const connection = await open(server);

    expect(await faultOf(connection.unary({ ...REQUEST, signal: soon() }))).toMatchObject({
      phase: "http2",
      reason: "goaway",
      status: "UNAVAILABLE",
    });
  });
});
