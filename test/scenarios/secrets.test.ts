import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterAll, expect, it, vi } from "vitest";
import { startCollector } from "../sinks/otlp-collector.ts";
import { copyBuiltFolder } from "../support/built-folder.ts";
import { issue } from "../support/certificates.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { startRunningAgent } from "../support/running-agent.ts";

/** Every secret of this test contains it, whatever else is around it. */
const SECRET = /hunter2|ZG9jdG9yOmh1bnRlcjI/i;
/** In `config print`. */
const PAYLOAD = /^ {6}(?:id|item): hunter2-payload\n/gm;
const BASIC = Buffer.from("doctor:hunter2-basic").toString("base64");

const built = copyBuiltFolder();
afterAll(() => built.remove());

/** A file of the folder; its path. */
function written(name: string, content: string): string {
  const file = join(built.folder, name);
  writeFileSync(file, content);
  return file;
}

/** A server that tells everybody what it was shown. */
async function aTellTale() {
  const shown: string[] = [];
  const server = await startGrpcServer({
    handlers: {
      GetOrder: (call, done) => {
        const metadata = Object.entries(call.metadata.getMap());
        const words = metadata.map(([key, value]) => `${key.toUpperCase()} ${String(value)}`);
        shown.push(...words);
        const quoted = words.filter((word) => SECRET.test(word)).join(", ");
        done({ code: 16, details: `refused: ${quoted}` });
      },
      SearchOrders: (call) => {
        call.write({ id: call.request["item"], price: 1, description: "hunter2-response" });
        call.end();
      },
    },
  });
  return { server, shown };
}

async function aWebhook() {
  const received: { readonly url: string; readonly body: string }[] = [];
  const server = createServer(
    (request, response) =>
      void text(request).then((body) => {
        received.push({ url: request.url ?? "", body });
        response.writeHead(500, "hunter2-answer").end("hunter2-answer");
      }),
  );
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return { received, server, port: (server.address() as AddressInfo).port };
}

const BAD = `
adminToken: hunter2-bad
webhook: { url: "ftp://bot:hunter2-bad@hooks.example" }
targets:
  - name: app
    address: localhost:50051
    metadata: { authorization: "hunter2\\nbad", x-key: "\${KEY-hunter2-bad}", x-file: { file: hunter2-bad } }
    tls: { cert: /nowhere.crt, key: "-----BEGIN hunter2-bad" }
`;

it("shows no secret in any output of the whole agent", async () => {
  const [{ server, shown }, webhook, collector, leaf] = await Promise.all([
    aTellTale(),
    aWebhook(),
    startCollector(),
    issue(),
  ]);
  const snapshots = join(built.folder, "snapshots");
  mkdirSync(snapshots, { recursive: true });
  const key = leaf.key.split("\n")[1] ?? "";
  const configuration = `
adminToken: ${written("admin-token", "hunter2-admin")}
webhook: { url: "http://127.0.0.1:${webhook.port}/hunter2-hook?key=hunter2-query" }
tracing: { endpoint: "${collector.endpoint}", ratio: 1 }
snapshots: ${snapshots}
log: { level: debug }
targets:
  - name: app
    address: "${server.address}"
    metadata:
      authorization: { file: ${written("token", "hunter2-file\n")}, prefix: "Bearer " }
      x-api-key: "\${API_KEY:-hunter2-default}"
      x-login: "Basic ${BASIC}"
  - name: other
    address: "${server.address}"
    tls: { cert: ${written("tls.crt", leaf.cert)}, key: ${written("tls.key", leaf.key)} }
probes:
  - { name: refused, target: app, method: order.OrderService/GetOrder, request: { id: hunter2-payload }, every: 1s, deadline: 900ms }
  - name: fresh
    target: app
    method: order.OrderService/GetOrder
    request: { id: hunter2-payload }
    every: 1s
    deadline: 900ms
    connection: fresh
    metadata: { authorization: "Bearer hunter2-literal" }
  - name: seen
    target: app
    method: order.OrderService/SearchOrders
    request: { item: hunter2-payload }
    every: 1s
    deadline: 900ms
    expect: { that: ["response.price > 1000.0"] }
`;
  const environment = {
    API_KEY: "hunter2-variable",
    OTEL_EXPORTER_OTLP_HEADERS: "authorization=hunter2-otel",
  };
  const agent = await startRunningAgent(configuration, { main: built.main, environment });
  const toldOf = (probe: string) => (said: { readonly code: string; readonly subject: object }) =>
    said.code === "probe-failing" && JSON.stringify(said.subject).includes(probe);
  const found = await vi.waitUntil(
    async () => {
      const { active } = await agent.findings();
      return ["refused", "fresh", "seen"].every((probe) => active.some(toldOf(probe))) && active;
    },
    { timeout: 120_000, interval: 250 },
  );
  await vi.waitUntil(() => webhook.received.length > 1 && collector.spans.length > 6, {
    timeout: 60_000,
  });

  const file = written("config.yaml", configuration);
  const saved = join(built.folder, "saved.json");
  const admin = ["--admin", agent.admin];
  const lines = await Promise.all([
    built.run("status", ...admin),
    built.run("status", "-o", "json", ...admin),
    built.run("check", "--config", file, "--for", "3s", "--save", saved),
    built.run("config", "print", "--config", file),
    built.run("config", "check", written("bad.yaml", BAD)),
    built.run("config", "check", written("worse.yaml", "a: !hunter2 x\n")),
    built.run("call", "-H", "hunter2-usage", "a:1", "a.B/C"),
    built.run("call", "a:1", "a.B/C", "hunter2-usage"),
    built.run("call", "-d", "hunter2-usage", "a:1", "a.B/C"),
    built.run(
      "call",
      "-H",
      "AUTHORIZATION: Bearer hunter2-flag",
      "-max-time",
      "30",
      server.address,
      "order.OrderService/GetOrder",
    ),
  ]);
  const page = async (path: string) =>
    (await fetch(`http://${agent.admin}${path}`, { headers: { connection: "close" } })).text();
  const pages = await Promise.all(["/", "/findings", "/snapshot"].map(page));
  const metrics = await agent.metrics();
  agent.configure(BAD);
  await vi.waitUntil(() => agent.log.some((line) => line["component"] === "config"), {
    timeout: 60_000,
  });
  expect(await agent.stop()).toBe(0);
  webhook.server.close().closeAllConnections();
  collector.stop();
  server.crash();

  const outputs = {
    log: JSON.stringify(agent.log),
    metrics,
    ...Object.fromEntries(pages.map((body, index) => [`page ${index}`, body])),
    // What a probe sends is printed to whoever can read the file, and nowhere else.
    ...Object.fromEntries(
      lines.map(({ stdout, stderr }, i) => [`line ${i}`, stdout.replaceAll(PAYLOAD, "") + stderr]),
    ),
    spans: JSON.stringify([collector.spans, collector.resources]),
    webhook: webhook.received.map(({ body }) => body).join("\n"),
    saved: readFileSync(saved, "utf8"),
    snapshots: readdirSync(snapshots)
      .map((name) => readFileSync(join(snapshots, name), "utf8"))
      .join("\n"),
  };
  const entries = Object.entries(outputs);
  const leaks = entries.flatMap(([name, all]) => {
    const at = Math.max(all.search(SECRET), all.indexOf(key));
    return at < 0 ? [] : [`${name}: ${all.slice(Math.max(0, at - 150), at + 50)}`];
  });
  expect(leaks).toEqual([]);
  expect(entries.filter(([, all]) => all.length < 20)).toEqual([]);

  // The secrets were used, and what a server made of them is told without them.
  expect(shown).toContain("AUTHORIZATION Bearer hunter2-file");
  expect(shown).toContain("AUTHORIZATION Bearer hunter2-literal");
  expect(shown).toContain("X-API-KEY hunter2-variable");
  expect(shown).toContain(`X-LOGIN Basic ${BASIC}`);
  expect(shown).toContain("AUTHORIZATION Bearer hunter2-flag");
  expect(collector.headers[0]).toMatchObject({ authorization: "hunter2-otel" });
  expect(webhook.received[0]?.url).toBe("/hunter2-hook?key=hunter2-query");
  expect(found.find(toldOf("refused"))?.evidence["statusText"]).toBe(
    "refused: AUTHORIZATION <token>, X-API-KEY <token>, X-LOGIN <token>",
  );
});
