import net from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, it, vi } from "vitest";
import { type ListenOptions, startListenServer } from "../../src/http/listen-server.ts";
import type { Listening } from "../../src/http/server.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { createManualClock } from "../support/clock.ts";
import { ask, askOften, speak } from "./ask.ts";

const started: Listening[] = [];

async function start(change: Partial<ListenOptions> = {}) {
  const failures: unknown[] = [];
  const server = await startListenServer({
    address: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    formatOf: (accept) => String(accept),
    metrics: (accept) =>
      Promise.resolve({ contentType: "text/plain; version=0.0.4", body: `up 1 ${accept}\n` }),
    ready: () => true,
    targetHealth: () => ({ kind: "status", status: "SERVING" }),
    defaultTarget: () => "app",
    failed: (thrown) => failures.push(thrown),
    ...change,
  });
  started.push(server);
  return { port: server.address.port, failures };
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});

it("hands the scraper's Accept on, and its answer back", async () => {
  const { port } = await start();
  const { status, headers, body } = await ask(port, "/metrics", { headers: { accept: "x/y" } });
  expect(status).toBe(200);
  expect(headers["content-type"]).toBe("text/plain; version=0.0.4");
  expect(headers["cache-control"]).toBe("no-store");
  expect(body.toString()).toBe("up 1 x/y\n");
});

const long = { contentType: "text/plain", body: "up 1\n".repeat(1000) };

it.each([
  ["gzip", "gzip"],
  ["gzip, deflate, br", "gzip"],
  ["*", "gzip"],
  ["gzip;q=0", undefined],
  ["gzip;q=0, *", undefined],
  ["br", undefined],
  ["identity", undefined],
])("answers Accept-Encoding %s with %s", async (accepted, encoding) => {
  const { port } = await start({ metrics: () => Promise.resolve(long) });
  const { headers } = await ask(port, "/metrics", { headers: { "accept-encoding": accepted } });
  expect(headers["content-encoding"]).toBe(encoding);
});

it("compresses to the same text, and leaves a short one as it is", async () => {
  const { port } = await start({ metrics: () => Promise.resolve(long) });
  const headers = { "accept-encoding": "gzip" };
  const { body } = await ask(port, "/metrics", { headers });
  expect(gunzipSync(body).toString()).toBe(long.body);
  const short = await ask(port, "/-/healthy", { headers });
  expect(short.headers["content-encoding"]).toBeUndefined();
});

it("shares one rendering among scrapes that come together", async () => {
  let renderings = 0;
  let finish = () => {};
  const both = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { port } = await start({
    metrics: async () => {
      renderings += 1;
      await both;
      return long;
    },
  });
  const first = ask(port, "/metrics");
  const second = ask(port, "/metrics");
  await ask(port, "/livez"); // both requests were read by now: they came before on their sockets
  await ask(port, "/livez");
  finish();
  await Promise.all([first, second]);
  expect(renderings).toBe(1);
});

it.each([
  ["/-/healthy", 200, "healthy\n"],
  ["/livez", 200, "healthy\n"],
  ["/-/ready", 200, "ready\n"],
  ["/target/healthz", 200, "SERVING\n"],
  ["/", 404, "no such page\n"],
  ["/findings", 404, "no such page\n"],
  ["/metrics/", 404, "no such page\n"],
  ["//metrics", 404, "no such page\n"],
  [`/${"x".repeat(3000)}`, 414, "the request's target is too long\n"],
])("answers GET %s with %i", async (path, status, text) => {
  const { port } = await start();
  const answer = await ask(port, path);
  expect([answer.status, answer.body.toString()]).toEqual([status, text]);
});

it("is not ready before it is", async () => {
  const { port } = await start({ ready: () => false });
  expect((await ask(port, "/-/ready")).status).toBe(503);
});

it.each([
  [{ kind: "status", status: "SERVING" }, 200],
  [{ kind: "status", status: "NOT_SERVING" }, 503],
  [{ kind: "status", status: "UNKNOWN" }, 503],
  [{ kind: "status", status: "SERVICE_UNKNOWN" }, 503],
  [{ kind: "stale" }, 503],
  [{ kind: "not-configured" }, 404],
] as const)("bridges %j to %i", async (health, status) => {
  const { port } = await start({ targetHealth: () => health });
  expect((await ask(port, "/target/healthz?target=app&service=order.OrderService")).status).toBe(
    status,
  );
});

it("asks for the named target and service, or for the only target", async () => {
  const asked: string[][] = [];
  const { port } = await start({
    targetHealth: (target, service) => {
      asked.push([target, service]);
      return { kind: "stale" };
    },
  });
  await ask(port, "/target/healthz");
  await ask(port, "/target/healthz?target=inventory&service=a%2Fb");
  expect(asked).toEqual([
    ["app", ""],
    ["inventory", "a/b"],
  ]);
});

it("wants a name where there are several targets", async () => {
  const { port } = await start({ defaultTarget: () => undefined });
  expect((await ask(port, "/target/healthz")).status).toBe(400);
});

it("answers HEAD with the headers of GET and no body", async () => {
  const { port } = await start({ metrics: () => Promise.resolve(long) });
  const head = await ask(port, "/metrics", { method: "HEAD" });
  expect(head.status).toBe(200);
  expect(head.headers["content-length"]).toBe(String(long.body.length));
  expect(head.body).toHaveLength(0);
});

it.each(["POST", "PUT", "DELETE", "OPTIONS"])("allows no %s", async (method) => {
  const { port } = await start();
  const { status, headers } = await ask(port, "/metrics", { method });
  expect(status).toBe(405);
  expect(headers["allow"]).toBe("GET, HEAD");
});

it("answers a bug of ours with 500 and no more, and tells it", async () => {
  const bug = new Error("secret detail");
  const { port, failures } = await start({ metrics: () => Promise.reject(bug) });
  const { status, body } = await ask(port, "/metrics");
  expect([status, body.toString()]).toEqual([500, "a bug of ours; the log says which\n"]);
  expect(failures).toEqual([bug]);
});

it("refuses headers that are larger than any client of ours sends", async () => {
  const { port } = await start();
  const heard = await speak(port, `GET / HTTP/1.1\r\nHost: x\r\nX: ${"y".repeat(9000)}\r\n\r\n`);
  expect(heard).toMatch(/^HTTP\/1\.1 431 /);
});

it("does not keep a connection whose request body it did not read", async () => {
  const { port } = await start();
  const heard = await speak(
    port,
    "POST /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\nxxx",
  );
  expect(heard).toMatch(/^HTTP\/1\.1 405 [^]*Connection: close/i);
});

it("refuses what is no HTTP", async () => {
  const { port } = await start();
  expect(await speak(port, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")).toMatch(/^HTTP\/1\.1 400 /);
});

/** Connects from this address of loopback, and says nothing. */
async function connected(port: number, localAddress = "127.0.0.1"): Promise<net.Socket> {
  const socket = net.connect({ port, host: "127.0.0.1", localAddress });
  socket.on("error", () => undefined);
  await new Promise((done) => socket.once("connect", done));
  return socket;
}

/** So many, one after the other. */
async function connections(port: number, count: number): Promise<readonly net.Socket[]> {
  const sockets: net.Socket[] = [];
  while (sockets.length < count) sockets.push(await connected(port));
  return sockets;
}

function destroy(...sockets: readonly net.Socket[]): void {
  for (const socket of sockets) socket.destroy();
}

const closed = (socket: net.Socket) =>
  new Promise((done) => socket.once("close", () => done("closed")));

it("gives up the oldest connection of who holds most, so that a scraper always gets in", async () => {
  const { port } = await start();
  const quiet = await connected(port, "127.0.0.2");
  const greedy = await connections(port, 63);
  const first = closed(greedy[0] ?? quiet);
  expect((await ask(port, "/metrics")).status).toBe(200);
  expect(await first).toBe("closed");
  expect([quiet, ...greedy].filter(({ destroyed }) => destroyed)).toEqual([greedy[0]]);
  destroy(quiet, ...greedy);
});

it("gives up one that waits before one whose request it answers", async () => {
  let finish = () => {};
  const held = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { port } = await start({
    metrics: () => held.then(() => ({ contentType: "text/plain", body: "up 1\n" })),
  });
  const answered = ask(port, "/metrics"); // the oldest, and under way
  await ask(port, "/livez");
  const waiting = await connections(port, 64);
  await closed(waiting[0] ?? new net.Socket());
  finish();
  expect((await answered).status).toBe(200);
  destroy(...waiting);
});

it("does not wait for ever for a reader that takes nothing", async () => {
  const clock = createManualClock();
  const body = "up 1\n".repeat(4_000_000);
  const { port } = await start({
    clock,
    metrics: () => Promise.resolve({ contentType: "text/plain", body }),
  });
  const socket = await connected(port);
  socket.pause();
  socket.write("GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  await vi.waitUntil(() => clock.pending > 0);
  await clock.advance(29_999);
  expect(clock.pending).toBe(1);
  await clock.advance(1);
  expect(clock.pending).toBe(0);
  const ended = closed(socket);
  socket.resume();
  expect(await ended).toBe("closed");
  expect(socket.bytesRead).toBeLessThan(body.length);
});

it("counts no time against a reply that was taken", async () => {
  const clock = createManualClock();
  const { port } = await start({ clock });
  expect((await ask(port, "/metrics")).status).toBe(200);
  await vi.waitUntil(() => clock.pending === 0);
});

it("answers an address so often, then refuses it, and no other", async () => {
  const clock = createManualClock();
  const { port } = await start({ clock });
  const line = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
  const last = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  const served = await speak(port, ...Array.from({ length: 399 }, () => line), last);
  expect(served.match(/^HTTP\/1\.1 200 /gm)).toHaveLength(400);
  const refused = await speak(port, line);
  expect(refused).toMatch(/^HTTP\/1\.1 429 [^]*connection: close/i);
  expect(refused).toMatch(/retry-after: 1/i);
  const other = await connected(port, "127.0.0.2");
  const heard = new Promise((done) => other.once("data", (chunk) => done(String(chunk))));
  other.write(last);
  expect(await heard).toMatch(/^HTTP\/1\.1 200 /);
  await clock.stall(5);
  expect((await ask(port, "/livez")).status).toBe(200);
});

it("renders each format twenty times a second at most, whatever the Accept says", async () => {
  const clock = createManualClock();
  const rendered: unknown[] = [];
  const { port } = await start({
    clock,
    formatOf: (accept) => (accept?.startsWith("open") === true ? "open" : "text"),
    metrics: (accept) => {
      rendered.push(accept);
      return Promise.resolve({ contentType: "text/plain", body: `${rendered.length}\n` });
    },
  });
  const last = async (times: number, accept: (time: number) => string): Promise<string> => {
    const headers = (time: number) => ({ headers: { accept: accept(time) } });
    return String((await askOften(times, (time) => ask(port, "/metrics", headers(time)))).body);
  };
  const first = await last(30, (time) => `text/plain;q=0.${time}`);
  expect([rendered.length, first]).toEqual([20, "20\n"]);
  const other = await last(1, () => "open");
  expect([rendered.length, other]).toEqual([21, "21\n"]);
  await clock.stall(1_000);
  const later = await last(1, () => "text/plain");
  expect([rendered.length, later]).toEqual([22, "22\n"]);
});

it("refuses more headers than any client of ours sends, and drops none of them", async () => {
  const { port } = await start();
  const line = "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const headers = (count: number) =>
    Array.from({ length: count }, (_, n) => `X-${n}: y\r\n`).join("");
  expect(await speak(port, `${line}${headers(48)}\r\n`)).toMatch(/^HTTP\/1\.1 200 /);
  expect(await speak(port, `${line}${headers(49)}\r\n`)).toMatch(/^HTTP\/1\.1 431 /);
});

it("listens on all addresses without a host, over IPv4 too", async () => {
  const { port } = await start({ address: { port: 0 } });
  expect((await ask(port, "/-/healthy")).status).toBe(200);
});

it("rejects when the port is taken", async () => {
  const { port } = await start();
  await expect(start({ address: { host: "127.0.0.1", port } })).rejects.toMatchObject({
    code: "EADDRINUSE",
  });
});

it("closes although a client dawdles", async () => {
  const { port } = await start();
  const socket = net.connect(port, "127.0.0.1");
  await new Promise((done) => socket.once("connect", done));
  socket.write("GET /metrics HTTP/1.1\r\n");
  const ended = new Promise((done) => socket.once("close", () => done("ended")));
  socket.on("error", () => undefined);
  await Promise.all(started.splice(0).map((server) => server.close()));
  expect(await ended).toBe("ended");
});
