import { execFile } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { startCollector } from "../support/collector.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { twoFreePorts } from "../support/ports.ts";
import { type RunningProgram, startProgram } from "../support/process.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";

/** A span as the collector writes it to its file. */
interface WrittenSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
}

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
const spansFile = join(folder, "spans.jsonl");
const PATIENCE = { timeout: 60_000, interval: 250 };
let server: GrpcServer;
let agent: RunningAgent;
let collector: RunningProgram;
let prometheus: RunningProgram;
let prometheusUrl: string;

beforeAll(async () => {
  const [otlpPort, prometheusPort] = await twoFreePorts();
  prometheusUrl = `http://127.0.0.1:${prometheusPort}`;
  [server, collector] = await Promise.all([
    startGrpcServer(),
    startCollector({ port: otlpPort, spansFile }),
  ]);
  agent = await startRunningAgent(`
tracing: { endpoint: "http://127.0.0.1:${otlpPort}", ratio: 1 }
targets: [{ name: app, address: "${server.address}" }]
probes:
  - name: get-order
    target: app
    method: order.OrderService/GetOrder
    request: { id: order-123 }
    every: 2s
`);
  prometheus = await startPrometheus(prometheusPort, agent.listen);
});
afterAll(async () => {
  await Promise.all([prometheus.end("SIGKILL"), agent.stop(), collector.end("SIGKILL")]);
  server.crash();
  rmSync(folder, { recursive: true });
});

describe.concurrent("what the agent tells, in the hands of those who read it", () => {
  it("passes promtool's lint", async () => {
    const metrics = await agent.metrics();
    const said = await new Promise<object>((resolve) => {
      const child = execFile("promtool", ["check", "metrics"], (error, stdout, stderr) =>
        resolve({ error, stdout, stderr }),
      );
      child.stdin?.end(metrics);
    });
    expect(said).toEqual({ error: null, stdout: "", stderr: "" });
  });

  it("is scraped by Prometheus", async () => {
    const up = await vi.waitUntil(async () => (await query('up{job="agent"}'))[0], PATIENCE);
    expect(up).toEqual({ job: "agent", value: "1" });
    const health = 'grpc_doctor_health_status{grpc_service="",status="SERVING"}';
    const serving = await vi.waitUntil(async () => (await query(health))[0], PATIENCE);
    expect(serving).toMatchObject({ target: "app", value: "1" });
  });

  it("gives Prometheus exemplars whose traces the collector has", async () => {
    const exemplars = await vi.waitUntil(async () => {
      const found = await exemplarTraces();
      return found.length > 0 && found;
    }, PATIENCE);
    const spans = await vi.waitUntil(() => {
      const found = writtenSpans().filter(({ traceId }) => exemplars.includes(traceId));
      return found.length >= 2 && found;
    }, PATIENCE);
    const root = spans.find(({ name }) => name === "probe get-order");
    const child = spans.find(({ name }) => name === "order.OrderService/GetOrder");
    expect(root).toMatchObject({ traceId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    expect(child).toMatchObject({ parentSpanId: expect.stringMatching(/^[0-9a-f]{16}$/) });
  });
});

function startPrometheus(port: number, target: string): Promise<RunningProgram> {
  const file = join(folder, "prometheus.yaml");
  writeFileSync(
    file,
    `scrape_configs:
  - job_name: agent
    scrape_interval: 1s
    static_configs: [{ targets: ["${target}"] }]
`,
  );
  const line = [
    "prometheus",
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, "tsdb")}`,
    `--web.listen-address=127.0.0.1:${port}`,
    "--enable-feature=exemplar-storage",
  ];
  return startProgram(line, () =>
    fetch(`${prometheusUrl}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
}

async function ask(path: string, parameters: Readonly<Record<string, string>>): Promise<unknown> {
  const response = await fetch(
    `${prometheusUrl}${path}?${new URLSearchParams(parameters).toString()}`,
  );
  return ((await response.json()) as { readonly data: unknown }).data;
}

/** Labels that matter, and the value, of each series of an instant query. */
async function query(text: string): Promise<readonly Readonly<Record<string, string>>[]> {
  const data = (await ask("/api/v1/query", { query: text })) as {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value: readonly [number, string];
    }[];
  };
  return data.result.map(
    ({ metric: { __name__: _name, instance: _instance, ...labels }, value }) => ({
      ...labels,
      value: value[1],
    }),
  );
}

async function exemplarTraces(): Promise<readonly string[]> {
  const now = Date.now() / 1000;
  const data = (await ask("/api/v1/query_exemplars", {
    query: "grpc_doctor_probe_duration_seconds_bucket",
    start: String(now - 300),
    end: String(now + 1),
  })) as readonly {
    readonly exemplars: readonly { readonly labels: Readonly<Record<string, string>> }[];
  }[];
  return data.flatMap(({ exemplars }) => exemplars.map(({ labels }) => labels["trace_id"] ?? ""));
}

function writtenSpans(): readonly WrittenSpan[] {
  if (!existsSync(spansFile)) return [];
  const lines = readFileSync(spansFile, "utf8").split("\n").slice(0, -1);
  return lines.flatMap((line) => {
    const { resourceSpans } = JSON.parse(line) as {
      readonly resourceSpans: readonly {
        readonly scopeSpans: readonly { readonly spans: readonly WrittenSpan[] }[];
      }[];
    };
    return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans));
  });
}
