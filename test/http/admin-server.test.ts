import { createHash } from "node:crypto";
import { afterEach, expect, it } from "vitest";
import { type AdminOptions, startAdminServer } from "../../src/http/admin-server.ts";
import type { Listening } from "../../src/http/server.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { aReport } from "../sinks/prometheus-values.ts";
import { aFinding } from "../sinks/values.ts";
import { createManualClock } from "../support/clock.ts";
import { ask, askOften, speak } from "./ask.ts";

const started: Listening[] = [];

async function start(change: Partial<AdminOptions> = {}) {
  const orders: string[] = [];
  const order = (text: string) => {
    orders.push(text);
    return { ok: true, text } as const;
  };
  const server = await startAdminServer({
    address: { host: "127.0.0.1", port: 0 },
    clock: systemClock,
    token: () => Promise.resolve(undefined),
    identity: { agent: "1.0.0", pod: "orders-7d9f" },
    findings: () => aReport({ active: [aFinding()] }),
    snapshot: () => '{"format":1}',
    reload: () => Promise.resolve(order("reload")),
    drain: () => order("drain"),
    drill: (code, target) => order(`drill ${code} ${target}`),
    failed: () => undefined,
    ...change,
  });
  started.push(server);
  return { port: server.address.port, orders };
}

afterEach(async () => {
  await Promise.all(started.splice(0).map((server) => server.close()));
});

it("gives the findings document", async () => {
  const { port } = await start();
  const { status, headers, body } = await ask(port, "/findings");
  expect(status).toBe(200);
  expect(headers["content-type"]).toBe("application/json; charset=utf-8");
  expect(JSON.parse(body.toString())).toMatchObject({
    schema: "grpc-doctor/v1",
    agent: "1.0.0",
    pod: "orders-7d9f",
    active: [{ code: "tls-san-mismatch" }],
  });
});

it("gives the snapshot as it is", async () => {
  const { port } = await start();
  expect((await ask(port, "/snapshot")).body.toString()).toBe('{"format":1}\n');
});

it.each([
  ["/-/reload", ["reload"], { ok: true, text: "reload" }],
  ["/-/drain", ["drain"], { ok: true, text: "drain" }],
  [
    "/-/drill?code=dns-stale",
    ["drill dns-stale undefined"],
    { ok: true, text: "drill dns-stale undefined" },
  ],
  [
    "/-/drill?code=dns-stale&target=app",
    ["drill dns-stale app"],
    { ok: true, text: "drill dns-stale app" },
  ],
])("takes the order %s by POST alone", async (path, told, answer) => {
  const { port, orders } = await start();
  const got = await ask(port, path);
  expect([got.status, got.headers["allow"], orders]).toEqual([405, "POST", []]);
  const { status, body } = await ask(port, path, { method: "POST" });
  expect([status, JSON.parse(body.toString()), orders]).toEqual([200, answer, told]);
});

it("tells the operator's fault", async () => {
  const faults = ["config.yaml:1:1: listen: found x, allowed host:port"];
  const { port } = await start({ reload: () => Promise.resolve({ ok: false, faults }) });
  const { status, body } = await ask(port, "/-/reload", { method: "POST" });
  expect([status, JSON.parse(body.toString())]).toEqual([400, { ok: false, faults }]);
  expect((await ask(port, "/-/drill", { method: "POST" })).status).toBe(400);
});

it.each([
  ["localhost", 200],
  ["localhost:19465", 200],
  ["127.0.0.1:19465", 200],
  ["[::1]:19465", 200],
  ["10.0.0.5:19465", 200],
  ["attacker.example", 403],
  ["attacker.example:19465", 403],
  ["localhost.attacker.example", 403],
  ["127.0.0.1.attacker.example:19465", 403],
  ["localhost@attacker.example", 403],
])("answers the Host %s with %i", async (host, status) => {
  const { port } = await start();
  expect((await ask(port, "/findings", { headers: { host } })).status).toBe(status);
});

it.each([
  ["first", "Host: localhost\r\nHost: attacker.example"],
  ["last", "host: attacker.example\r\nHOST: localhost"],
])("refuses a second Host, where ours is the %s", async (_which, hosts) => {
  const { port } = await start();
  const heard = await speak(port, `GET /findings HTTP/1.1\r\n${hosts}\r\n\r\n`);
  expect(heard).toMatch(/^HTTP\/1\.1 400 [^]*\r\nmore than one Host\n$/);
});

it("takes so many orders, refuses the next, and never a drain", async () => {
  const clock = createManualClock();
  const { port, orders } = await start({ clock });
  const order = async (path: string) => (await ask(port, path, { method: "POST" })).status;
  const statuses = await Promise.all(Array.from({ length: 20 }, () => order("/-/reload")));
  expect(new Set(statuses)).toEqual(new Set([200]));
  expect(await order("/-/drill?code=dns-stale")).toBe(429);
  expect(await order("/-/reload")).toBe(429);
  expect(await order("/-/drain")).toBe(200);
  await clock.stall(1_000);
  expect(await order("/-/reload")).toBe(200);
  expect(orders).toHaveLength(22);
});

it.each(["/", "/findings", "/snapshot"])(
  "renders %s twenty times a second at most",
  async (path) => {
    const clock = createManualClock();
    let renderings = 0;
    const { port } = await start({
      clock,
      findings: () => {
        renderings += 1;
        return aReport();
      },
      snapshot: () => `{"rendering":${(renderings += 1)}}`,
    });
    expect((await askOften(30, () => ask(port, path))).status).toBe(200);
    expect(renderings).toBe(20);
    await clock.stall(1_000);
    expect((await askOften(2, () => ask(port, path))).status).toBe(200);
    expect(renderings).toBe(22);
  },
);

it.each([
  [{ origin: "http://localhost:19465" }, 200],
  [{ origin: "http://localhost:8080" }, 403],
  [{ origin: "https://localhost:19465" }, 403],
  [{ origin: "http://attacker.example" }, 403],
  [{ origin: "null" }, 403],
  [{ "sec-fetch-site": "same-origin" }, 200],
  [{ "sec-fetch-site": "none" }, 200],
  [{ "sec-fetch-site": "same-site" }, 403],
  [{ "sec-fetch-site": "cross-site" }, 403],
])("answers an order with %j with %i", async (headers, status) => {
  const { port, orders } = await start();
  const options = { method: "POST", headers: { host: "localhost:19465", ...headers } };
  expect((await ask(port, "/-/drain", options)).status).toBe(status);
  expect(orders).toEqual(status === 200 ? ["drain"] : []);
});

it.each([
  ["no token is given", {}, "s3cret", 401],
  ["another is given", { authorization: "Bearer other" }, "s3cret", 401],
  ["a longer one is given", { authorization: "Bearer s3cretx" }, "s3cret", 401],
  ["it is given as Basic", { authorization: "Basic s3cret" }, "s3cret", 401],
  ["none is configured", { authorization: "Bearer s3cret" }, undefined, 401],
  ["an empty one is configured", { authorization: "Bearer " }, "", 401],
  ["it is given", { authorization: "Bearer s3cret" }, "s3cret", 200],
  ["its scheme is in lower case", { authorization: "bearer s3cret" }, "s3cret", 200],
])("off loopback, answers as it must when %s", async (_when, headers, token, status) => {
  const { port } = await start({ address: { port: 0 }, token: () => Promise.resolve(token) });
  const answer = await ask(port, "/findings", { headers });
  expect(answer.status).toBe(status);
  expect(answer.headers["www-authenticate"]).toBe(status === 401 ? "Bearer" : undefined);
});

it("shows a page that needs nothing but itself", async () => {
  const { port } = await start();
  const { status, headers, body } = await ask(port, "/");
  const page = body.toString();
  expect(status).toBe(200);
  expect(headers["content-type"]).toBe("text/html; charset=utf-8");
  expect(headers["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'sha256-/);
  expect(page).toContain('<meta http-equiv="refresh" content="5">');
  expect(page).toContain("tls-san-mismatch");
  expect(page).toContain("Issue a certificate that covers orders.shop.svc.");
  expect(page).toContain("<dt>sans</dt>");
  expect(page).not.toMatch(/<script|<img|<link|@import|url\(/);
});

it("keeps the page's style within its policy", async () => {
  const { port } = await start();
  const { headers, body } = await ask(port, "/");
  const style = /<style>([^]*?)<\/style>/.exec(body.toString())?.[1] ?? "";
  const hash = createHash("sha256").update(style).digest("base64");
  expect(headers["content-security-policy"]).toContain(`'sha256-${hash}'`);
});

it("says that nothing was found", async () => {
  const { port } = await start({ findings: () => aReport() });
  expect((await ask(port, "/")).body.toString()).toContain("nothing found");
});

it("shows every list of the report, and escapes all of it", async () => {
  const evil = aFinding({
    summary: '<script>alert("x")</script>',
    subject: { name: "<b>" },
    evidence: { "<k>": ["<v>", 1], more: { a: "<w>" } },
    docs: '"><script>',
    isDrill: true,
    consequences: ["<c>"],
    changed: [{ what: "certificate", from: "<f>", to: "<t>", at: 0 }],
  });
  const report = aReport({
    active: [evil],
    pending: [{ ...evil, activeInSeconds: 11.2 }],
    suppressed: [{ ...evil, because: "<dns>" }],
    recent: [{ ...evil, resolvedAt: 0 }],
    unjudged: [{ target: "app", code: "dns-stale", because: "<u>", fix: "<x>" }],
    capabilities: [
      { target: "app", source: "channelz", available: false, reason: "<r>", since: 0 },
    ],
  });
  const { port } = await start({ findings: () => report });
  const page = (await ask(port, "/")).body.toString();
  expect(page).not.toMatch(/<(script|b|k|v|w|c|f|t|dns|u|x|r)>(?!dns-|tls-)/);
  expect(page).toContain("&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;");
  expect(page).toContain("active in 12 s");
  expect(page).toContain("This is a drill: it is not true.");
});
