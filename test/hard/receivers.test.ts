import { type EventEmitter, once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, describe, expect, it, vi } from "vitest";
import { anAgent, createTable, type Stage, seconds, toldLoudly } from "../interop/scene.ts";
import { startCollector } from "../sinks/otlp-collector.ts";
import { answers, type Handler } from "../support/faulty-server.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { twoFreePorts } from "../support/ports.ts";
import type { RunningAgent } from "../support/running-agent.ts";
import { mayTakeMs } from "./pace.ts";

/** Those who are told, and do not listen: what they miss is counted, and nothing else happens. */
const PATIENCE = { timeout: 90_000, interval: 250 };
const OFTEN = { OTEL_BSP_SCHEDULE_DELAY: "500" };
const IMPATIENT = { ...OFTEN, OTEL_EXPORTER_OTLP_TIMEOUT: "3000" };
const RESOURCE_EXHAUSTED = 8;
/** Less than it is given, and more than the end has. */
const SLOW_MS = 2_000;
const table = createTable();
afterAll(() => table.print("SIGTERM with spans and transitions that nobody takes"));

describe.concurrent("with a collector and a webhook", () => {
  it.for(["down", "mute", "hanging up", "refusing"] as const)(
    "that are %s, the agent works and ends in time",
    async (way, stage) => {
      const app = await anApp(stage);
      const ports = await receiving(stage, way);
      const agent = await anAgent(stage, watching(app, ports), { environment: IMPATIENT });
      await drill(agent, "dns-stale");
      const posts = /^grpc_doctor_sink_dropped_total\{sink="webhook"\} [1-9]/m;
      await vi.waitUntil(async () => posts.test(await agent.metrics()), PATIENCE);
      const spans = /^grpc_doctor_spans_dropped_total [1-9]/m;
      await vi.waitUntil(async () => spans.test(await agent.metrics()), PATIENCE);
      await drill(agent, "app-frozen");

      await endsInTime(agent, way);
      expect(linesOf(agent, "sink.failed")).toEqual(["otlp", "webhook"]);
      expect(linesOf(agent, "spans.dropped").length).toBeLessThan(4);
      expect(linesOf(agent, "sink.dropped").length).toBeLessThan(4);
      expect(toldLoudly(agent)).toEqual(["dns-stale", "app-frozen"]);
    },
  );

  it("that are slow, the agent loses nothing until its end, which is in time", async (stage) => {
    const app = await anApp(stage);
    const ports = await answering(stage, {
      afterMs: SLOW_MS,
      status: 200,
      exported: answers.messages([]),
    });
    const agent = await anAgent(stage, watching(app, ports), { environment: OFTEN });
    await drill(agent, "dns-stale");
    await seconds((4 * SLOW_MS) / 1_000);
    const text = await agent.metrics();
    expect(text).not.toMatch(/^grpc_doctor_(sink|spans)_dropped_total(\{.*\})? [1-9]/m);
    expect(linesOf(agent, "sink.failed")).toEqual([]);
    await endsInTime(agent, "slow");
    expect(toldLoudly(agent)).toEqual(["dns-stale"]);
  });

  it("a collector that comes back is told again", async (stage) => {
    const app = await anApp(stage);
    const [port] = await twoFreePorts();
    const agent = await anAgent(stage, watching(app, { traces: port, hook: port }), {
      environment: IMPATIENT,
    });
    await vi.waitUntil(() => linesOf(agent, "sink.failed").includes("otlp"), PATIENCE);
    const collector = await startCollector({ port });
    stage.onTestFinished(async () => collector.stop());
    await collector.received(2);
    await vi.waitUntil(() => linesOf(agent, "sink.recovered").includes("otlp"), PATIENCE);
    expect(toldLoudly(agent)).toEqual([]);
  });
});

describe.concurrent("who asks one byte after the other", () => {
  it.for(["listen", "admin"] as const)(
    "keeps nobody from %s, and is cut off",
    async (listener, stage) => {
      const app = await anApp(stage);
      const agent = await anAgent(stage, `targets: [{ name: app, address: "${app.address}" }]`);
      const dawdlers = await dawdle(stage, agent[listener], 80);
      const cutOff = Promise.all(dawdlers.map(closed));
      const page = listener === "listen" ? "/metrics" : "/findings";
      const headers = { connection: "close" };
      const asked = async () =>
        (await fetch(`http://${agent[listener]}${page}`, { headers })).status;
      expect(await Promise.all([asked(), asked(), asked()])).toEqual([200, 200, 200]);
      await cutOff;
      expect(await asked()).toBe(200);
      expect(await agent.stop()).toBe(0);
    },
  );
});

const closed = (socket: Socket) =>
  new Promise<void>((done) => {
    socket.once("close", () => done());
  });

/** Connections that send a header of a request twice a second, and never its end. */
async function dawdle(stage: Stage, address: string, count: number): Promise<readonly Socket[]> {
  const port = Number(address.split(":")[1]);
  const sockets = Array.from({ length: count }, () => connect(port, "127.0.0.1"));
  for (const socket of sockets) {
    socket.on("error", () => undefined);
    socket.write("GET /metrics HTTP/1.1\r\nHost: localhost\r\n");
  }
  const drip = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write("X: y\r\n");
  }, 500);
  stage.onTestFinished(async () => {
    clearInterval(drip);
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

async function anApp(stage: Stage): Promise<GrpcServer> {
  const app = await startGrpcServer();
  stage.onTestFinished(async () => app.crash());
  return app;
}

const watching = (app: GrpcServer, { traces, hook }: Receivers) => `
tracing: { endpoint: "http://127.0.0.1:${traces}", ratio: 1 }
webhook: { url: "http://127.0.0.1:${hook}/" }
targets: [{ name: app, address: "${app.address}" }]
probes:
  - { name: get-order, target: app, method: order.OrderService/GetOrder, request: { id: order-123 }, every: 1s, deadline: 1s }
`;

async function endsInTime(agent: RunningAgent, way: string): Promise<void> {
  const begin = performance.now();
  expect(await agent.stop()).toBe(0);
  const tookMs = Math.round(performance.now() - begin);
  table.note(way, "ms", String(tookMs));
  expect(tookMs).toBeLessThan(mayTakeMs());
}

/** Ports of 127.0.0.1. */
interface Receivers {
  readonly traces: number;
  readonly hook: number;
}

/** Two who take nothing. */
async function receiving(
  stage: Stage,
  way: "down" | "mute" | "hanging up" | "refusing",
): Promise<Receivers> {
  if (way === "down") {
    const [traces, hook] = await twoFreePorts();
    return { traces, hook };
  }
  if (way === "refusing")
    return answering(stage, {
      afterMs: 0,
      status: 503,
      exported: answers.status(RESOURCE_EXHAUSTED),
    });
  const port = await listening(stage, (socket) => {
    if (way === "hanging up") socket.on("data", () => socket.destroy());
  });
  return { traces: port, hook: port };
}

interface Answer {
  readonly afterMs: number;
  readonly status: number;
  readonly exported: Handler;
}

/** Those who answer every export and every post with this. */
async function answering(stage: Stage, { afterMs, status, exported }: Answer): Promise<Receivers> {
  const hook = createHttpServer((request, response) => {
    request.resume();
    setTimeout(() => response.writeHead(status).end(), afterMs);
  });
  const collector = createHttp2Server().on("stream", (stream, headers) => {
    stream.on("error", () => undefined);
    stream.resume();
    setTimeout(() => {
      if (!stream.destroyed) exported(stream, headers);
    }, afterMs);
  });
  const pass = (server: EventEmitter) =>
    listening(stage, (socket) => void server.emit("connection", socket));
  return { traces: await pass(collector), hook: await pass(hook) };
}

/** The port of a server that treats its connections so. */
async function listening(stage: Stage, treat: (socket: Socket) => void): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => open.delete(socket));
    treat(socket);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  stage.onTestFinished(async () => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return (server.address() as AddressInfo).port;
}

async function drill(agent: RunningAgent, code: string): Promise<void> {
  await fetch(`http://${agent.admin}/-/drill?code=${code}`, { method: "POST" });
}

/** Components of the lines of this event, in the order of the alphabet. */
function linesOf({ log }: RunningAgent, event: string): readonly string[] {
  const lines = log.filter((line) => line["otel.event.name"] === `grpc_doctor.${event}`);
  return lines.map(({ component }) => String(component)).toSorted();
}
