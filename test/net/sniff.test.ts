import { afterEach, describe, expect, test } from "vitest";
import { dial } from "../../src/net/dial.ts";
import { watchOwnPorts } from "../../src/net/own-ports.ts";
import { hangUp, recognise, sniff } from "../../src/net/sniff.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { issue } from "../support/certificates.ts";
import {
  type FaultyServer,
  type FaultyServerOptions,
  refusingPort,
  startFaultyServer,
} from "../support/faulty-server.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

let cleanUps: (() => Promise<void>)[] = [];
afterEach(async () => {
  const all = cleanUps.toReversed();
  cleanUps = [];
  for (const cleanUp of all) await cleanUp();
});

async function serve(options: FaultyServerOptions): Promise<FaultyServer> {
  const server = await startFaultyServer(options);
  cleanUps.push(() => server.stop());
  return server;
}

const options = () => ({ clock: systemClock, signal: systemClock.deadline(2000), timeoutMs: 50 });
const addressOf = ({ host, port }: FaultyServer) => ({ kind: "ip", host, port }) as const;

describe("a sniff", () => {
  const strangers: readonly (readonly [string, FaultyServerOptions, object])[] = [
    ["h2c", {}, { found: "h2c", firstOctets: expect.stringMatching(/^00000.04/) }],
    [
      "HTTP/1",
      { accept: { bytes: "HTTP/1.1 400 Bad Request\r\n\r\n" } },
      { found: "http1", firstOctets: Buffer.from("HTTP/1.1 400 Bad").toString("hex") },
    ],
    ["a short answer", { accept: { bytes: "no" } }, { found: "other", firstOctets: "6e6f" }],
    ["a short answer that begins as SETTINGS", { accept: { bytes: "\0\0" } }, { found: "closed" }],
    [
      "a short answer that no SETTINGS begin with",
      { accept: { bytes: "\0\0\u0005" } },
      { found: "other", firstOctets: "000005" },
    ],
    ["one byte of TLS", { accept: { bytes: "\u0016" } }, { found: "closed" }],
    ["a mute server", { accept: "mute" }, { found: "mute" }],
    ["a server that closes", { accept: "close" }, { found: "closed" }],
    ["a server that resets", { accept: "reset" }, { found: "closed" }],
  ];

  test.each(strangers)("knows %s", async (_sentence, server, expected) => {
    expect(await sniff(addressOf(await serve(server)), options())).toEqual(expected);
  });

  test("knows TLS, which is silent to the preface, by its answer to a ClientHello", async () => {
    const { cert, key } = await issue({ dns: ["a.test"] });
    const server = await serve({ tls: { cert, key } });

    expect(await sniff(addressOf(server), options())).toEqual({
      found: "tls",
      firstOctets: expect.stringMatching(/^1603/), // a ServerHello: ours was whole, as C-core wants it
    });
  });

  test("asks a second time only where the first answer was silence", async () => {
    const talking = await serve({});
    const silent = await serve({ accept: "close" });
    await sniff(addressOf(talking), options());
    await sniff(addressOf(silent), options());

    expect([talking.accepted, silent.accepted]).toEqual([1, 3]);
  });

  test.each(["plaintext", "tls"] as const)(
    "knows what a balancer's header opens: %s",
    async (how) => {
      const { cert, key } = await issue({ dns: ["a.test"] });
      const server = await serve(how === "tls" ? { tls: { cert, key } } : {});
      const proxy = await startTcpProxy({ to: server.port, without: "close", wantsHeader: true });
      cleanUps.push(() => proxy.stop());
      const address = { kind: "ip", host: "127.0.0.1", port: proxy.port } as const;

      const asked = { ...options(), isTls: how === "tls" };

      expect(await sniff(address, asked)).toEqual({ found: "proxy-header" });
      await server.stop();
      expect(await sniff(address, asked)).toEqual({ found: "closed" });
    },
  );

  test("knows that a proxy of TCP has no server behind it by silence alone", async () => {
    const { port, release } = await refusingPort();
    cleanUps.push(release);
    const sniffed = (["mute", "close"] as const).map(async (without) => {
      const proxy = await startTcpProxy({ to: port, without });
      cleanUps.push(() => proxy.stop());
      return await sniff({ kind: "ip", host: "127.0.0.1", port: proxy.port }, options());
    });
    expect(await Promise.all(sniffed)).toEqual([{ found: "mute" }, { found: "closed" }]);
  });

  test("ends when it is stopped", async () => {
    const server = await serve({ accept: "mute" });
    const stop = new AbortController();
    const sniffing = sniff(addressOf(server), { clock: systemClock, signal: stop.signal });
    await expect.poll(() => server.open).toBe(1);
    stop.abort(new Error("stopped"));

    await expect(sniffing).rejects.toThrow("stopped");
  });

  test.each([
    ["a SETTINGS frame on a stream", "000000040000000001", "other"],
    ["a SETTINGS frame of half a setting", "000003040000000000", "other"],
    ["SETTINGS with two settings", "00000c040000000000", "h2c"],
    ["a ServerHello", "160303007a020000", "tls"],
    ["an SSH banner", "5353482d322e302d", "other"],
    ["half of HTTP/1", "48545450", "other"],
  ])("recognises %s", (_sentence, octets, found) => {
    expect(recognise(Buffer.from(octets, "hex"))).toEqual({ found, firstOctets: octets });
  });
});

describe("a dial", () => {
  test("is timed, and hands out the very socket", async () => {
    const server = await serve({});
    const { attempt, socket } = await dial(addressOf(server), options());
    const remotePort = socket?.remotePort;
    hangUp(socket!, systemClock);

    expect(attempt).toEqual({
      at: expect.any(Number),
      address: server.address,
      family: "ipv4",
      outcome: "connected",
      connectMs: expect.any(Number),
    });
    expect(remotePort).toBe(server.port);
  });

  test("tells who refuses, of each family", async () => {
    const { port, release } = await refusingPort();
    cleanUps.push(release);
    const four = await dial({ kind: "ip", host: "127.0.0.1", port }, options());
    const path = await dial({ kind: "unix", path: "/nowhere.sock" }, options());

    expect(four.attempt).toMatchObject({
      outcome: "refused",
      errno: "ECONNREFUSED",
      family: "ipv4",
    });
    expect(path.attempt).toMatchObject({ outcome: "refused", errno: "ENOENT", family: "unix" });
    expect([four.socket, path.socket]).toEqual([undefined, undefined]);
  });

  test("tells silence, and gives up in its time", async () => {
    // Nobody ever has: a deadline that has passed stands for a network that answers nothing.
    const server = await serve({});
    const clock = {
      ...systemClock,
      deadline: () => AbortSignal.abort(new DOMException("", "TimeoutError")),
    };
    const { attempt } = await dial(addressOf(server), { ...options(), clock });

    expect(attempt).toMatchObject({ outcome: "timeout" });
    expect(attempt).not.toHaveProperty("connectMs");
  });

  test("rejects when it is stopped: nothing was learnt", async () => {
    const signal = AbortSignal.abort(new Error("stopped"));
    await expect(
      dial({ kind: "ip", host: "127.0.0.1", port: 1 }, { clock: systemClock, signal }),
    ).rejects.toThrow("stopped");
  });
});

describe("own ports", () => {
  test("are known while their sockets are open, whoever opened them", async () => {
    const server = await serve({});
    const own = watchOwnPorts();
    const { socket } = await dial(addressOf(server), options());
    const { localPort } = socket!;
    const whileOpen = [...own.ports];
    hangUp(socket!, systemClock);
    await expect.poll(() => own.ports.size).toBe(0);
    own.stop();
    const later = await dial(addressOf(server), options());
    const afterStop = [...own.ports];
    hangUp(later.socket!, systemClock);

    expect([whileOpen, afterStop]).toEqual([[localPort], []]);
  });
});
