import { type AddressInfo, createServer } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { createKeptConnections, type KeptConnections } from "../../src/grpc/kept-connections.ts";
import { createOwnCalls } from "../../src/grpc/own-calls.ts";
import type { ConnectionObservation } from "../../src/model/observation.ts";
import type { Target } from "../../src/model/target.ts";
import type { Clock } from "../../src/model/time.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { issue, issueCa } from "../support/certificates.ts";
import { faultOf } from "../support/faults.ts";
import {
  answers,
  type FaultyServer,
  type FaultyServerOptions,
  startFaultyServer,
} from "../support/faulty-server.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { aResolver, aTarget } from "../support/targets.ts";

const PLAINTEXT = { tls: { mode: "plaintext" } } as const;
const HEALTH = { path: "/grpc.health.v1.Health/Watch", request: new Uint8Array() };

let cleanUps: (() => Promise<void>)[] = [];
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

/** A port that hangs up at once. */
async function hangUps() {
  let accepted = 0;
  const server = createServer((socket) => {
    accepted += 1;
    socket.on("error", () => undefined); // it hangs up on what is being said
    socket.destroy();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  cleanUps.push(() => new Promise((resolve) => server.close(() => resolve())));
  const { port } = server.address() as AddressInfo;
  return { address: `127.0.0.1:${port}`, accepted: () => accepted };
}

interface Kept {
  readonly kept: KeptConnections;
  readonly heard: ConnectionObservation[];
  /** The kinds heard, without what changes from run to run. */
  kinds(): readonly string[];
  /** Moves the monotonic time of the back-off, and nothing else. */
  later(ms: number): void;
}

function keep(): Kept {
  const heard: ConnectionObservation[] = [];
  let shiftMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => systemClock.monotonicMs() + shiftMs };
  const kept = createKeptConnections({
    clock,
    random: () => 0.5,
    resolver: aResolver(),
    ownCalls: createOwnCalls(),
    observe: (observation) => heard.push(observation),
  });
  cleanUps.push(() => kept.close());
  const kinds = () =>
    heard.map((one) => (one.kind === "closed" ? `closed by ${one.by}` : one.kind));
  return { kept, heard, kinds, later: (ms) => void (shiftMs += ms) };
}

const target = (server: FaultyServer, stated: Partial<Target> = {}) =>
  aTarget(server.address, { ...PLAINTEXT, ...stated });
const soon = () => systemClock.deadline(2000);

describe("a kept connection", () => {
  test("is one for all who ask at once, and is told", async () => {
    const server = await serve();
    const { kept, heard } = keep();
    const [first, second] = await Promise.all([
      kept.get(target(server), soon()),
      kept.get(target(server), soon()),
    ]);
    const third = await kept.get(target(server), soon());

    expect([second, third]).toEqual([first, first]);
    expect(server.accepted).toBe(1);
    const about = { source: "connection", target: "app", at: expect.any(Number) };
    expect(heard).toEqual([
      {
        ...about,
        kind: "opened",
        address: server.address,
        localPort: first.localPort,
        connectMs: expect.any(Number),
      },
      { ...about, kind: "settings", settings: { initialWindowSize: 65535, maxFrameSize: 16384 } },
    ]);
  });

  test("tells SETTINGS that change", async () => {
    const server = await serve();
    const { kept, heard } = keep();
    const connection = await kept.get(target(server), soon());
    server.sessions[0]?.settings({ maxConcurrentStreams: 3 });

    await expect.poll(() => connection.settings.maxConcurrentStreams).toBe(3);
    expect(heard.at(-1)).toMatchObject({ kind: "settings", settings: { maxConcurrentStreams: 3 } });
  });

  test("outlives a waiter that gives up", async () => {
    const server = await serve();
    const { kept } = keep();
    const impatient = faultOf(kept.get(target(server), AbortSignal.abort()));
    const patient = kept.get(target(server), soon());

    expect(await impatient).toMatchObject({ reason: "agent" });
    expect((await patient).isOpen).toBe(true);
    expect(server.accepted).toBe(1);
  });

  test("is another one when the target is configured anew, the same otherwise", async () => {
    const server = await serve();
    const { kept, kinds } = keep();
    const first = await kept.get(target(server), soon());
    const same = await kept.get(target(server, { startupMs: 1 }), soon());
    const other = await kept.get(target(server, { authority: "orders" }), soon());
    await first.ended;

    expect(same).toBe(first);
    expect(other).not.toBe(first);
    expect(kinds()).toEqual(expect.arrayContaining(["closed by us"]));
  });

  test("cancels and goes at a graceful stop, and comes again with a new epoch", async () => {
    const server = await serve({ fallback: answers.stall([]) });
    const { kept, kinds } = keep();
    const connection = await kept.get(target(server), soon());
    const watching = faultOf(connection.unary({ ...HEALTH, signal: soon() }));
    await expect.poll(() => server.calls.length).toBe(1);
    const stoppedAt = systemClock.monotonicMs();
    await new Promise<void>((resolve) => server.sessions[0]?.close(resolve));

    expect(systemClock.monotonicMs() - stoppedAt).toBeLessThan(100);
    expect(await watching).toMatchObject({ phase: "http2", reason: "subchannel_shutdown" });
    await connection.ended;
    expect(kinds()).toEqual(["opened", "settings", "goaway", "closed by goaway"]);
    expect(await faultOf(kept.get(target(server), soon()))).toEqual({
      phase: "http2",
      reason: "goaway",
    });
    kept.release("app");
    expect((await kept.get(target(server), soon())).isOpen).toBe(true);
  });

  test("comes again by itself a minute after a GOAWAY, as a proxy never restarts", async () => {
    const server = await serve();
    const { kept, later } = keep();
    await kept.get(target(server), soon());
    server.sessions[0]?.close();
    await expect.poll(() => server.open).toBe(0);

    later(59_000);
    expect(await faultOf(kept.get(target(server), soon()))).toMatchObject({ reason: "goaway" });
    later(1_000);
    expect((await kept.get(target(server), soon())).isOpen).toBe(true);
  });

  test("comes again after a rotation, which is no drain", async () => {
    const server = await serve({
      goaway: { code: 0, debugText: "max_age", when: "after-call" },
    });
    const { kept, later, heard } = keep();
    const connection = await kept.get(target(server), soon());
    later(20_000);
    await faultOf(connection.unary({ ...HEALTH, signal: soon() }));
    await connection.ended;

    expect((await kept.get(target(server), soon())).isOpen).toBe(true);
    expect(heard).toContainEqual(
      expect.objectContaining({
        kind: "goaway",
        goaway: { at: expect.any(Number), code: 0, debugText: "max_age" },
      }),
    );
  });

  test("is another one after the dead one was closed", async () => {
    const server = await serve();
    const { kept, kinds, later } = keep();
    const dead = await kept.get(target(server), soon());
    later(60_000);
    kept.renew("other");
    expect(dead.isOpen).toBe(true);
    kept.renew("app");
    await dead.ended;
    expect((await kept.get(target(server), soon())).isOpen).toBe(true);
    expect(kinds()).toEqual(["opened", "settings", "closed by us", "opened", "settings"]);
    expect(server.accepted).toBe(2);
  });

  test("is not opened while the target drains, and on no release of another", async () => {
    const server = await serve();
    const { kept, kinds, later } = keep();
    const connection = await kept.get(target(server), soon());
    kept.drain("app");
    await connection.ended;
    kept.release("other");
    later(600_000);

    expect(await faultOf(kept.get(target(server), soon()))).toMatchObject({ reason: "goaway" });
    expect(kinds()).toEqual(["opened", "settings", "closed by us"]);
    expect(server.accepted).toBe(1);
  });

  test("backs off: 1 s, 2 s … after failures, at once after a release", async () => {
    const server = await serve({ accept: "close" });
    const { kept, later, heard } = keep();
    const tries = async () => {
      const fault = await faultOf(kept.get(target(server), soon()));
      expect(fault).toMatchObject({ phase: "http2", reason: "connection_closed" });
      return server.accepted;
    };
    // The attempt itself, and the sniff of what went wrong.
    const perTry = await tries();
    expect(await tries()).toBe(perTry);
    later(1_000);
    expect(await tries()).toBe(2 * perTry);
    later(1_990);
    expect(await tries()).toBe(2 * perTry);
    later(10);
    expect(await tries()).toBe(3 * perTry);
    kept.release("app");
    expect(await tries()).toBe(4 * perTry);
    expect(heard).toEqual([]);
  });

  test("guesses once what a server speaks that lets nobody in without a certificate", async () => {
    const ca = await issueCa();
    const { cert, key } = await issue({ issuer: ca });
    const server = await serve({ tls: { cert, key, clientCa: ca.cert } });
    const { kept, later } = keep();
    const complaintsOfTry = async () => {
      const before = server.complaints.length;
      const fault = await faultOf(kept.get(aTarget(server.address), soon()));
      expect(fault).toMatchObject({ reason: "client_certificate_required" });
      return server.complaints.length - before;
    };

    // Plaintext, then TLS without a certificate; from then on only that.
    const first = await complaintsOfTry();
    later(1_000);
    expect([first, await complaintsOfTry()]).toEqual([2, 1]);
  });

  test("asks ever more seldom where only our certificate is missing", async () => {
    const ca = await issueCa();
    const { cert, key } = await issue({ issuer: ca });
    const server = await serve({ tls: { cert, key, clientCa: ca.cert } });
    const { kept, later } = keep();
    const tls = { tls: { mode: "tls" } } as const;
    const triesAfter = async (ms: number) => {
      later(ms);
      const before = server.accepted;
      await faultOf(kept.get(target(server, tls), soon()));
      return server.accepted - before;
    };

    expect([
      await triesAfter(0),
      await triesAfter(1_000),
      await triesAfter(2_000),
      await triesAfter(4_000),
      await triesAfter(8_000),
      await triesAfter(16_000),
      await triesAfter(30_000),
      await triesAfter(2_000),
    ]).toEqual([1, 1, 1, 1, 1, 1, 0, 1]);
  });

  test("leaves a port that lets nobody in to the X-ray, until that has heard of HTTP/2", async () => {
    const port = await hangUps();
    const { kept, later } = keep();
    const triesAfter = async (ms: number) => {
      later(ms);
      const before = port.accepted();
      await faultOf(kept.get(aTarget(port.address), soon()));
      return port.accepted() - before;
    };

    // Plaintext, and TLS: nothing else is asked.
    expect([
      await triesAfter(0),
      await triesAfter(1_000),
      await triesAfter(2_000),
      await triesAfter(4_000),
      await triesAfter(8_000),
      await triesAfter(16_000),
      await triesAfter(32_000),
      await triesAfter(64_000),
      await triesAfter(119_000),
    ]).toEqual([2, 2, 2, 2, 2, 2, 2, 2, 0]);
    kept.heard("other");
    expect(await triesAfter(0)).toBe(0);
    kept.heard("app");
    expect([await triesAfter(0), await triesAfter(0)]).toEqual([2, 0]);
  });

  test("does not come back the sooner where each one ends, though HTTP/2 is heard", async () => {
    const server = await serve();
    const { kept, later } = keep();
    const connection = await kept.get(target(server), soon());
    await faultOf(connection.unary({ ...HEALTH, signal: soon() }));
    server.reset();
    await connection.ended;
    kept.heard("app");
    expect(await faultOf(kept.get(target(server), soon()))).toMatchObject({
      reason: "connection_reset",
    });
    later(1_000);
    expect((await kept.get(target(server), soon())).isOpen).toBe(true);
  });

  test("tells how it was lost, and is back at once when it had lived", async () => {
    const server = await serve();
    const { kept, kinds, heard, later } = keep();
    const connection = await kept.get(target(server), soon());
    await faultOf(connection.unary({ ...HEALTH, signal: soon() }));
    later(10_000);
    server.reset();
    await connection.ended;

    expect(kinds()).toEqual(["opened", "settings", "closed by rst"]);
    expect(heard.at(-1)).toMatchObject({ reason: "connection_reset" });
    expect((await kept.get(target(server), soon())).isOpen).toBe(true);
  });

  test("is gone when all is closed, or its target forgotten", async () => {
    const server = await serve();
    const { kept, kinds } = keep();
    await kept.get(target(server), soon());
    await kept.forget("app");
    await kept.get(target(server), soon());
    await kept.close();

    expect(kinds().filter((kind) => kind === "closed by us")).toHaveLength(2);
    expect(await faultOf(kept.get(target(server), soon()))).toMatchObject({ reason: "goaway" });
  });

  test("does not hold up grpc-js's graceful stop, though a Watch is open on it", async () => {
    const server = await startGrpcServer();
    const { kept } = keep();
    const signal = systemClock.deadline(5000);
    const connection = await kept.get(server.target(), signal);
    const watch = connection.serverStream({
      path: "/grpc.health.v1.Health/Watch",
      request: new Uint8Array(),
      signal,
    });
    const messages = watch[Symbol.asyncIterator]();
    const first = await messages.next();
    const ending = messages.next().catch(() => "cancelled");
    const stoppedAt = systemClock.monotonicMs();
    await server.stop();

    expect([...(first.value ?? [])]).toEqual([8, 1]);
    expect(await ending).toBe("cancelled");
    expect(systemClock.monotonicMs() - stoppedAt).toBeLessThan(200);
  });
});
