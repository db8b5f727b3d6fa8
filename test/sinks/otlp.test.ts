import { writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { ServerCredentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { AgentEvent } from "../../src/model/event.ts";
import { createOtlpSink, type OtlpOptions } from "../../src/sinks/otlp/sink.ts";
import { issue, issueCa, writeFiles } from "../support/certificates.ts";
import { createManualClock } from "../support/clock.ts";
import { type Collector, startCollector } from "./otlp-collector.ts";
import { aReport, aRun, aTarget, someSettings } from "./prometheus-values.ts";
import { aFinding } from "./values.ts";

let collector: Collector;
beforeEach(async () => {
  collector = await startCollector();
});
afterEach(() => collector.stop());

const tracedTo = (endpoint: string) =>
  someSettings({ targets: [aTarget()], tracing: { endpoint, ratio: 0.1 } });

const never = () => new AbortController().signal;

function start(change: Partial<OtlpOptions> = {}) {
  const events: AgentEvent[] = [];
  const clock = createManualClock(1_800_000_000_000);
  let drawn = 0;
  const sink = createOtlpSink({
    settings: () => tracedTo(collector.endpoint),
    report: () => aReport(),
    clock,
    random: () => (drawn++ % 251) / 256,
    event: (event) => events.push(event),
    environment: {},
    version: "1.0.0",
    ...change,
  });
  return { sink, clock, events };
}

const fresh = {
  connection: "fresh",
  durationMs: 12.5,
  phaseMs: { dns: 1, tcp: 0.25, tls: 3, http2: 1.25, rpc: 7 },
  peer: "127.0.0.1:50051",
} as const;

it("sends the run, its call and the phases of a fresh connection", async () => {
  const { sink } = start();
  sink.observe?.(aRun({ ...fresh, at: 1_800_000_000_012.5 }));
  await sink.close?.(never());
  await expect(`${JSON.stringify(collector.spans, null, 2)}\n`).toMatchFileSnapshot(
    "golden/spans.json",
  );
});

it("gives the call the id that went to the server, below the probe", async () => {
  const { sink } = start();
  const run = aRun();
  sink.observe?.(run);
  await sink.close?.(never());
  const [call, probe] = collector.spans;
  expect(collector.spans.map(({ name, kind }) => [name, kind])).toEqual([
    ["order.OrderService/GetOrder", "SPAN_KIND_CLIENT"],
    ["probe get-order", "SPAN_KIND_INTERNAL"],
  ]);
  expect(call).toMatchObject({
    traceId: run.traceId,
    spanId: run.spanId,
    parentSpanId: probe?.spanId,
  });
  expect(probe).toMatchObject({ traceId: run.traceId, parentSpanId: "" });
});

it("sends no run that passed and was not sampled", async () => {
  const { sink } = start();
  sink.observe?.(aRun({ isSampled: false }));
  sink.observe?.(aRun({ outcome: "unsupported", isSampled: false }));
  await sink.close?.(never());
  expect(collector.spans).toEqual([]);
});

it("sends a failed run besides, with the word for its failure", async () => {
  const { sink } = start();
  sink.observe?.(
    aRun({
      isSampled: false,
      outcome: "failed",
      phase: "rpc",
      reason: "deadline",
      status: "DEADLINE_EXCEEDED",
      statusText: "do not show this",
    }),
  );
  await sink.close?.(never());
  const [call, probe] = collector.spans;
  expect(call?.status).toEqual({
    code: "STATUS_CODE_ERROR",
    message: "rpc deadline DEADLINE_EXCEEDED",
  });
  expect(call?.attributes).toMatchObject({
    "rpc.status_code": "DEADLINE_EXCEEDED",
    "error.type": "DEADLINE_EXCEEDED",
  });
  expect(probe?.status.code).toBe("STATUS_CODE_ERROR");
  expect(JSON.stringify(collector.spans)).not.toContain("do not show this");
});

it("blames the phase that failed", async () => {
  const { sink } = start();
  const phases = { phaseMs: { dns: 1, tcp: 2 }, phase: "tcp", reason: "refused" } as const;
  const { status: _status, ...run } = aRun({ ...fresh, ...phases, outcome: "failed" });
  sink.observe?.(run);
  await sink.close?.(never());
  const told = collector.spans.map(({ name, status, attributes }) => [
    name,
    status.code,
    attributes["error.type"],
  ]);
  expect(told).toEqual([
    ["dns", "STATUS_CODE_UNSET", undefined],
    ["tcp", "STATUS_CODE_ERROR", "refused"],
    ["order.OrderService/GetOrder", "STATUS_CODE_ERROR", "refused"],
    ["probe get-order", "STATUS_CODE_ERROR", "refused"],
  ]);
});

const failing = aFinding({
  code: "probe-failing",
  subject: { probe: "get-order" },
  severity: "info",
});
const { traceId } = aRun();

it.each([
  ["that is of this run", { active: [aFinding({ traceId })] }, "tls-san-mismatch"],
  ["that is of this probe, when it failed", { active: [failing] }, "probe-failing"],
  ["that is the worst", { active: [failing, aFinding({ traceId })] }, "tls-san-mismatch"],
  [
    "that silences the probe's",
    { suppressed: [{ ...failing, because: "dns-failing" }] },
    "dns-failing",
  ],
  ["of another run", { active: [aFinding({ traceId: "0".repeat(31) })] }, undefined],
  ["of another target", { active: [{ ...failing, target: "other" }] }, undefined],
])("waits for the evaluation, and names the finding %s", async (_what, lists, code) => {
  let report = aReport();
  const { sink, clock } = start({ report: () => report });
  sink.observe?.(aRun({ outcome: "failed" }));
  report = aReport(lists);
  await clock.advance(1500);
  await sink.close?.(never());
  const spans = await collector.received(2);
  expect(spans.at(-1)?.attributes["finding.code"]).toBe(code);
});

it("says who it is, as the pod and the user told", async () => {
  const { sink } = start({
    environment: {
      POD_NAME: "orders-7d9f",
      POD_NAMESPACE: "shop",
      POD_UID: "u-1",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=a%20b,k8s.pod.uid=u-2,, spaced = x ",
      OTEL_SERVICE_NAME: "doctor",
    },
  });
  sink.observe?.(aRun());
  await sink.close?.(never());
  const { "telemetry.sdk.version": _version, ...resource } = collector.resources[0] ?? {};
  expect(resource).toEqual({
    "service.name": "doctor",
    "service.version": "1.0.0",
    "service.namespace": "shop",
    "service.instance.id": "shop.orders-7d9f.grpc-doctor",
    "k8s.pod.name": "orders-7d9f",
    "k8s.pod.uid": "u-2",
    "k8s.namespace.name": "shop",
    "deployment.environment.name": "a b",
    spaced: "x",
    "telemetry.sdk.language": "nodejs",
    "telemetry.sdk.name": "opentelemetry",
  });
});

it.each(["a=b,broken", "a=b,c=%zz", "=b"])(
  "uses no OTEL_RESOURCE_ATTRIBUTES of %j, and says so",
  async (text) => {
    const { sink, events } = start({ environment: { OTEL_RESOURCE_ATTRIBUTES: text } });
    sink.observe?.(aRun());
    await sink.close?.(never());
    expect(Object.keys(collector.resources[0] ?? {})).not.toContain("a");
    expect(events).toMatchObject([
      { kind: "config-warning", text: expect.stringMatching(/^OTEL_RESOURCE_ATTRIBUTES is not/) },
    ]);
  },
);

describe("the variables of the OTLP exporter", () => {
  const settings = () => someSettings({ targets: [aTarget()], tracing: { ratio: 0.1 } });
  /** The packages read them of the process itself. */
  const send = async (variables: Readonly<Record<string, string>>) => {
    for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
    const { sink, events } = start({ settings });
    sink.observe?.(aRun());
    await sink.close?.(never());
    vi.unstubAllEnvs();
    return events.map((event) => (event.kind === "config-warning" ? event.text : event.kind));
  };
  const secureCollector = async () => {
    const ca = await issueCa();
    const leaf = await issue({ issuer: ca, ip: ["127.0.0.1"] });
    const pair = { cert_chain: Buffer.from(leaf.cert), private_key: Buffer.from(leaf.key) };
    const secure = await startCollector({ credentials: ServerCredentials.createSsl(null, [pair]) });
    const files = await writeFiles({ ca: ca.cert });
    onTestFinished(() => secure.stop());
    onTestFinished(files.remove);
    return { secure, ca: files.paths.ca, place: secure.endpoint.replace("http://", "") };
  };

  it("name the collector and the headers, those of traces first", async () => {
    const events = await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:1",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: collector.endpoint,
      OTEL_EXPORTER_OTLP_HEADERS: "x-tenant=blue,x-token=a%20b",
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: "x-tenant=green",
    });
    expect(events).toEqual([]);
    expect(collector.spans).toHaveLength(2);
    expect(collector.headers).toMatchObject([{ "x-tenant": "green", "x-token": "a b" }]);
  });

  it("say by the scheme that the collector speaks TLS, and name its issuer", async () => {
    const { secure, ca, place } = await secureCollector();
    const events = await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: `https://${place}`,
      OTEL_EXPORTER_OTLP_CERTIFICATE: ca,
    });
    expect({ events, spans: secure.spans.length }).toEqual({ events: [], spans: 2 });
  });

  it("mean TLS where there is no scheme, unless INSECURE is true", async () => {
    const { secure, ca, place } = await secureCollector();
    const certificate = { OTEL_EXPORTER_OTLP_CERTIFICATE: ca };
    await send({ OTEL_EXPORTER_OTLP_ENDPOINT: place, ...certificate });
    await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint.replace("http://", ""),
      OTEL_EXPORTER_OTLP_INSECURE: "TRUE",
    });
    expect([secure.spans.length, collector.spans.length]).toEqual([2, 2]);
  });

  it("name a file that is no certificate until it is one", async () => {
    const { secure, ca, place } = await secureCollector();
    const { cert, key } = await issue();
    const { paths, remove } = await writeFiles({ cert: "half a certificate", key });
    onTestFinished(remove);
    vi.stubEnv("OTEL_EXPORTER_OTLP_ENDPOINT", `https://${place}`);
    vi.stubEnv("OTEL_EXPORTER_OTLP_CERTIFICATE", ca);
    vi.stubEnv("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", paths.cert);
    vi.stubEnv("OTEL_EXPORTER_OTLP_CLIENT_KEY", paths.key);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { sink, clock, events } = start({ settings });
    sink.observe?.(aRun());
    await clock.advance(2_000);
    await vi.waitUntil(() => events.length === 2, { timeout: 20_000 });
    await writeFile(paths.cert, cert);
    sink.observe?.(aRun());
    await sink.close?.(never());
    expect(events.map(({ kind }) => kind)).toEqual([
      "spans-dropped",
      "sink-failed",
      "sink-recovered",
    ]);
    expect(secure.spans).toHaveLength(2);
  });

  it("are warned of where they cannot be used", async () => {
    const events = await send({
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
      OTEL_EXPORTER_OTLP_COMPRESSION: "brotli",
      OTEL_EXPORTER_OTLP_CERTIFICATE: "/none/ca.pem",
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${collector.endpoint}/v1/traces`,
    });
    expect(events.toSorted()).toEqual([
      "Configuration: OTEL_EXPORTER_OTLP_COMPRESSION is invalid, expected 'none' or 'gzip' (actual: 'brotli')",
      "URL path should not be set when using grpc, the path part of the URL will be ignored.",
    ]);
    expect(collector.spans).toHaveLength(2);
  });
});

it("sends a drain when it has ended, by the wall clock as it goes then", async () => {
  const { sink, clock } = start();
  const at = clock.now();
  const listener = { address: "::", port: 50_051, queued: 0 };
  const kernel = (listeners: readonly (typeof listener)[], later: number) =>
    ({ source: "kernel", kind: "read", target: "app", at: at + later, listeners }) as never;
  sink.observe?.(kernel([listener], 0));
  sink.observe?.({ source: "drain", kind: "signal", target: "app", at: at + 10, by: "sigterm" });
  clock.setWall(at + 60_000);
  sink.observe?.(kernel([], 1510));
  await sink.close?.(never());
  expect(collector.spans).toMatchObject([
    {
      name: "drain app",
      startNanos: "1800000060010000000",
      endNanos: "1800000061510000000",
      attributes: { "grpc_doctor.target.name": "app" },
    },
  ]);
});

it("counts what a dead collector costs, and tells its state once", async () => {
  collector.stop();
  const { sink, events, clock } = start();
  sink.observe?.(aRun());
  sink.observe?.(aRun());
  await sink.close?.(never());
  const at = clock.now();
  expect(events).toMatchObject([
    { kind: "spans-dropped", count: 4, at },
    { kind: "sink-failed", sink: "otlp", at },
  ]);
});

it("counts what its queue does not hold", async () => {
  const { sink, events } = start({ environment: { OTEL_BSP_MAX_QUEUE_SIZE: "3" } });
  sink.observe?.(aRun());
  sink.observe?.(aRun());
  await sink.close?.(never());
  expect(events.filter(({ kind }) => kind === "spans-dropped")).toMatchObject([{ count: 1 }]);
  expect(collector.spans).toHaveLength(3);
});

it("does not wait for a collector beyond its time, and counts what it did not take", async () => {
  const mute = await startMute();
  const { sink, events } = start({ settings: () => tracedTo(mute.endpoint) });
  sink.observe?.(aRun());
  const patience = new AbortController();
  const closed = sink.close?.(patience.signal);
  await mute.asked;
  patience.abort(new Error("the time is up"));
  await closed;
  expect(events).toMatchObject([
    { kind: "spans-dropped", count: 2 },
    { kind: "sink-failed", sink: "otlp", errorText: "the time is up" },
  ]);
});

it("does not wait for its own packages beyond its time", async () => {
  const { sink, events } = start();
  sink.observe?.(aRun());
  await sink.close?.(AbortSignal.abort(new Error("the time is up")));
  expect(events).toMatchObject([
    { kind: "spans-dropped", count: 2 },
    { kind: "sink-failed", sink: "otlp", errorText: "the time is up" },
  ]);
  expect(collector.spans).toEqual([]);
});

/** A port that takes a connection and says nothing. */
async function startMute() {
  const sockets = new Set<Socket>();
  const server = createServer();
  const asked = new Promise<void>((resolve) => {
    server.on("connection", (socket) => {
      sockets.add(socket);
      socket.once("data", () => resolve());
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { endpoint: `http://127.0.0.1:${port}`, asked };
}
