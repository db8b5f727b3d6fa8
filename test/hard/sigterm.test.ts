import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { seconds } from "../interop/scene.ts";
import { startCollector } from "../support/collector.ts";
import { type GrpcServer, startGrpcServer } from "../support/grpc-server.ts";
import { twoFreePorts } from "../support/ports.ts";
import type { RunningProgram } from "../support/process.ts";
import { type RunningAgent, startRunningAgent } from "../support/running-agent.ts";
import { crowding, mayTakeMs } from "./pace.ts";

/**
 * SIGTERM at random moments of the first seconds, in which connections open and probes run, and right
 * after a finding: each end is one with code 0 within 1.5 s; the finding stands in the log and was posted,
 * and of every probe that was answered the collector has the spans.
 *
 * `GRPC_DOCTOR_MOMENTS` is how many (12 by default), `GRPC_DOCTOR_SEED` plays a run again.
 */
const MOMENTS = Number(process.env["GRPC_DOCTOR_MOMENTS"] ?? "12");
const SEED = Number(process.env["GRPC_DOCTOR_SEED"] ?? `${process.pid}`);
/** In these the first probes and X-rays come. */
const SPAN_MS = 4_000;
const AT_ONCE = 3;
/** An answer and a signal that come together: the run may count as cut short. */
const ON_ITS_WAY_MS = 300;
/** What may be taken where two programs want each processor. */
const CROWDED_MS = 3_000;

let app: GrpcServer;
let collector: RunningProgram;
let hook: Awaited<ReturnType<typeof startHook>>;
let folder: string;
let otlpPort: number;
/** Probes that were answered: by which agent's, in which trace, and when. */
const answered: { readonly agent: string; readonly trace: string; readonly atMs: number }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "grpc-doctor-test-"));
  [otlpPort] = await twoFreePorts();
  collector = await startCollector({ port: otlpPort, spansFile: join(folder, "spans.jsonl") });
  hook = await startHook();
  app = await startGrpcServer({
    handlers: {
      GetOrder: (call, done) => {
        const [[parent], [agent]] = [
          call.metadata.get("traceparent"),
          call.metadata.get("x-agent"),
        ];
        const trace = String(parent).split("-")[1] ?? "";
        answered.push({ agent: String(agent), trace, atMs: performance.now() });
        done(null, { id: "order-123" });
      },
    },
  });
});
afterAll(async () => {
  app.crash();
  await Promise.all([collector.end("SIGKILL"), hook.close()]);
  rmSync(folder, { recursive: true });
});

it(`ends with 0 in time and tells its last, at ${MOMENTS} moments of seed ${SEED}`, {
  timeout: 60_000 + MOMENTS * 20_000,
}, async () => {
  const ends = await endAll(momentsOf(SEED));
  const took = ends.map(({ tookMs }) => Math.round(tookMs)).toSorted((a, b) => a - b);
  const [shortest, median] = [took[0], took[Math.floor(took.length / 2)]];
  process.stdout.write(`\nSIGTERM to exit: ${shortest}, ${median}, ${took.at(-1)} ms\n`);
  expect(ends.filter(({ code, tookMs, mayTakeMs }) => code !== 0 || tookMs > mayTakeMs)).toEqual(
    [],
  );
  const untold = ends.filter((end) => end.untold.length > 0);
  process.stdout.write(`not posted in time: ${untold.length} of ${MOMENTS}\n`);
  expect(untold.filter((end) => !isExcused(end, "webhook"))).toEqual([]);
  expect(ends.map(({ told }) => told)).toEqual(ends.map(() => ["deadline-storm"]));
  // The collector writes what it has got ten times a second.
  await vi.waitFor(() => expect(lost(ends)).toEqual([]), { timeout: 10_000 });
  expect(answered.length).toBeGreaterThan(MOMENTS);
});

/** The time to flush does not grow with the crowd: there a loss may be, and is told. */
function isExcused({ lossesTold, mayTakeMs }: End, sink: string): boolean {
  return lossesTold.includes(sink) && mayTakeMs >= CROWDED_MS;
}

/** Traces of probes that had their answer before the signal, and that the collector never got. */
function lost(ends: readonly End[]): readonly string[] {
  const spans = readFileSync(join(folder, "spans.jsonl"), "utf8");
  const isAnswered = ({ agent, atMs }: (typeof answered)[number]) => {
    const end = ends.find((one) => one.agent === agent && !isExcused(one, "otlp"));
    return end !== undefined && atMs < end.signalledMs - ON_ITS_WAY_MS * crowding();
  };
  const seen = answered.filter(isAnswered).map(({ trace }) => trace);
  return seen.filter((trace) => !spans.includes(trace));
}

interface End {
  readonly agent: string;
  readonly signalledMs: number;
  readonly moment: number;
  readonly code: number | null;
  readonly tookMs: number;
  /** What was promised, on a machine that is as crowded. */
  readonly mayTakeMs: number;
  /** Findings that the log has opened. */
  readonly told: readonly string[];
  /** Of them those that the webhook never heard of. */
  readonly untold: readonly string[];
  /** Of which sinks the log says that something was lost. */
  readonly lossesTold: readonly unknown[];
}

async function endAll(moments: readonly number[]): Promise<readonly End[]> {
  const waiting = [...moments];
  const ends: End[] = [];
  const lane = async (): Promise<void> => {
    for (let moment = waiting.shift(); moment !== undefined; moment = waiting.shift()) {
      ends.push(await endAt(moment));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return ends;
}

/** SIGTERM so many ms after both listeners answered. */
async function endAt(moment: number): Promise<End> {
  const name = `at-${String(moment).replace(".", "-")}`;
  const agent = await startRunningAgent(configuration(name));
  await seconds(moment / 1_000);
  await drill(agent, name);
  const signalledMs = performance.now();
  const code = await agent.stop();
  const tookMs = performance.now() - signalledMs;
  const opened = openedBy(agent);
  const untold = opened.filter((finding) => !hook.heard.has(`${name} ${finding}`));
  const lossesTold = agent.log.filter(isLoss).map((line) => line["component"]);
  return {
    agent: name,
    moment,
    lossesTold,
    code,
    signalledMs,
    tookMs,
    mayTakeMs: mayTakeMs(),
    told: opened,
    untold,
  };
}

/** A finding just before the end, in a path that is the real ones'. */
async function drill({ admin }: RunningAgent, target: string): Promise<void> {
  const query = `code=deadline-storm&target=${target}`;
  await fetch(`http://${admin}/-/drill?${query}`, { method: "POST" });
}

const isLoss = (line: RunningAgent["log"][number]) =>
  LOSSES.has(String(line["otel.event.name"]).replace("grpc_doctor.", ""));
const LOSSES = new Set(["sink.dropped", "spans.dropped"]);

function openedBy({ log }: RunningAgent): readonly string[] {
  const opened = log.filter((line) => line["otel.event.name"] === "grpc_doctor.finding.opened");
  return opened.map((line) => (line["finding"] as { readonly code: string }).code);
}

const configuration = (name: string) => `
tracing: { endpoint: "http://127.0.0.1:${otlpPort}", ratio: 1 }
webhook: { url: "${hook.url}" }
targets: [{ name: ${name}, address: "${app.address}" }]
probes:
  - { name: get-order, target: ${name}, method: order.OrderService/GetOrder, request: { id: order-123 }, every: 250ms, deadline: 200ms, metadata: { x-agent: "${name}" } }
`;

/** Moments within the span, drawn by a generator that a seed plays again. Source: mulberry32. */
function momentsOf(seed: number): readonly number[] {
  let state = seed;
  const draw = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return Array.from({ length: MOMENTS }, () => Math.round(draw() * SPAN_MS * 1_000) / 1_000);
}

/** Hears of findings as `target code`. */
async function startHook() {
  const heard = new Set<string>();
  const server = createServer((request, response) => {
    let body = "";
    request.on("data", (chunk) => (body += String(chunk)));
    request.on("end", () => {
      const { finding } = JSON.parse(body) as { readonly finding: Record<string, string> };
      heard.add(`${finding["target"]} ${finding["code"]}`);
      response.end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    heard,
    url: `http://127.0.0.1:${port}/`,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
