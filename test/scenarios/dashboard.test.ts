import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { stringify } from "yaml";
import { ANNOTATION, ROWS } from "../../src/monitoring/dashboard.ts";
import { issue } from "../support/certificates.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { twoFreePorts } from "../support/ports.ts";
import { type RunningProgram, startProgram } from "../support/process.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";

const root = new URL("../..", import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
const PATIENCE = { timeout: 120_000, interval: 500 };
/** As a person chose them above the panels. */
const CHOSEN: Readonly<Record<string, string>> = {
  $namespace: "shop",
  $workload: "orders",
  $pod: "orders-0",
  $__rate_interval: "1m",
};

let server: GrpcServer;
let agent: RunningAgent;
let prometheus: RunningProgram;
let prometheusUrl: string;

beforeAll(async () => {
  // Two days are left: one finding, and every panel has something to show.
  const served = await issue({ dns: ["localhost"], fromDays: -60, toDays: 2 });
  const ca = join(folder, "ca.pem");
  writeFileSync(ca, served.cert);
  const pair = { cert_chain: Buffer.from(served.cert), private_key: Buffer.from(served.key) };
  server = await startGrpcServer({
    channelz: true,
    credentials: grpc.ServerCredentials.createSsl(null, [pair]),
  });
  agent = await startRunningAgent(`
targets: [{ name: app, address: "localhost:${server.port}", authority: localhost, tls: { ca: "${ca}" } }]
probes:
  - { name: get-order, target: app, method: order.OrderService/GetOrder, request: { id: order-123 }, every: 1s }
`);
  const [port] = await twoFreePorts();
  prometheusUrl = `http://127.0.0.1:${port}`;
  const file = join(folder, "prometheus.yaml");
  const labels = { namespace: "shop", pod: "orders-0" };
  writeFileSync(
    file,
    stringify({
      global: { scrape_interval: "1s", evaluation_interval: "1s" },
      rule_files: [join(root, "deploy/monitoring-plain/rules.yaml")],
      scrape_configs: [{ job_name: "pods", static_configs: [{ targets: [agent.listen], labels }] }],
    }),
  );
  const line = [
    "prometheus",
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "tsdb")}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ];
  prometheus = await startProgram(line, () =>
    fetch(`${prometheusUrl}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
});
afterAll(async () => {
  await Promise.all([prometheus.end("SIGKILL"), agent.stop()]);
  server.crash();
  rmSync(folder, { recursive: true });
});

/** How many series an expression of the dashboard gives now. */
async function seriesOf(expr: string): Promise<number> {
  const query = Object.entries(CHOSEN).reduce(
    (text, [name, value]) => text.replaceAll(name, value),
    expr,
  );
  const url = `${prometheusUrl}/api/v1/query?${new URLSearchParams({ query }).toString()}`;
  const response = await fetch(url);
  const { status, data } = (await response.json()) as {
    readonly status: string;
    readonly data: { readonly result: readonly unknown[] };
  };
  return status === "success" ? data.result.length : Number.NaN;
}

const QUERIES = ROWS.flatMap(({ panels }) =>
  panels.flatMap(({ title, queries }) =>
    queries.map(({ legend, expr }) => [`${title}: ${legend}`, expr] as const),
  ),
);

describe.concurrent("a panel of the dashboard has series of a live agent", () => {
  it.each([...QUERIES, ["the marks of findings", ANNOTATION] as const])("%s", async (_, expr) => {
    await vi.waitFor(async () => expect(await seriesOf(expr)).toBeGreaterThan(0), PATIENCE);
  });
});
