import net from "node:net";
import { gunzipSync } from "node:zlib";
import { afterEach, expect, it } from "vitest";
import { type ListenOptions, startListenServer } from "../../src/http/listen-server.ts";
import type { Listening } from "../../src/http/server.ts";
import { ask, speak } from "./ask.ts";

const started: Listening[] = [];

async function start(change: Partial<ListenOptions> = {}) {
  const failures: unknown[] = [];
  const server = await startListenServer({
    address: { host: "127.0.0.1", port: 0 },
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

it("accepts a bounded number of connections", async () => {
  const { port } = await start();
  const sockets = Array.from({ length: 64 }, () => net.connect(port, "127.0.0.1"));
  await Promise.all(sockets.map((socket) => new Promise((done) => socket.once("connect", done))));
  const closed = new Promise((done) => {
    const tooMany = net.connect(port, "127.0.0.1");
    tooMany.on("error", () => undefined);
    tooMany.once("close", () => done("closed"));
  });
  expect(await closed).toBe("closed");
  for (const socket of sockets) socket.destroy();
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
