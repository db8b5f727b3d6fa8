import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { startAgent, sumOf } from "../agent.mjs";
import { median, row } from "../figures.mjs";
import { CACHE } from "../nodes.mjs";
import { startPeer } from "../peer.mjs";
import { start } from "../process.mjs";

const DELAY = "5ms";
const EVERY_MS = 100;
const METRIC = "grpc_doctor_probe_duration_seconds";

/**
 * What a probe reports of a server that answers after 5 ms, against a Go client of the same server in
 * the same seconds: over grpc-js as the running agent's probes do, and over our own connection.
 */
export async function latency(commandLine, { seconds }) {
  const peer = await startPeer(["serve"]);
  await peer.command(`delay ${DELAY}`);
  const address = `127.0.0.1:${peer.ready.port}`;
  const agent = await startAgent(commandLine, { configuration: configuration(address) });
  const calls = Math.floor((seconds * 1000) / EVERY_MS);
  const pace = { address, calls };
  await agent.event("grpc_doctor.health.changed");
  const [go, connection, probe] = await Promise.all([
    callsOfGo(pace),
    callsOfConnection(commandLine, pace),
    runsOfProbe(agent, seconds * 1000),
  ]);
  await agent.stop();
  await peer.stop();
  const over = (values) => [median(values) - median(go)];
  return [
    row({ what: "5 ms server: a Go client, median", unit: "ms", values: [median(go)] }),
    row({
      what: "the same over the connection, above Go",
      unit: "ms",
      values: over(connection),
      budget: 0.5,
    }),
    row({
      what: "the same by a probe (grpc-js), above Go",
      unit: "ms",
      values: over(probe),
      budget: 1.4,
    }),
  ];
}

function configuration(address) {
  return `targets: [{ name: app, address: "${address}" }]
probes:
  - name: get-order
    target: app
    method: order.OrderService/GetOrder
    request: { id: order-1 }
    every: ${EVERY_MS}ms
    deadline: 90ms
`;
}

async function callsOfGo({ address, calls }) {
  const words = ["measure", "-target", address, "-calls", String(calls), "-every", `${EVERY_MS}ms`];
  const client = await startPeer(words);
  return client.ready.milliseconds;
}

/** Our connection is TypeScript: bundled with its caller, run with the same command line. */
async function callsOfConnection({ file, flags, env }, { address, calls }) {
  const outfile = join(CACHE, "bench/connection-calls.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("../connection-calls.ts", import.meta.url))],
    outfile,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "es2023",
    logLevel: "warning",
  });
  const child = start(file, [...flags, outfile, address, String(calls), String(EVERY_MS)], env);
  const { line } = await child.line(() => true);
  return JSON.parse(line);
}

/** A histogram that grew by one between two scrapes tells that run's duration. */
async function runsOfProbe(agent, ms) {
  const durations = [];
  let before = await histogram(agent);
  for (const end = performance.now() + ms; performance.now() < end; ) {
    await delay(EVERY_MS / 2);
    const now = await histogram(agent);
    if (now.count === before.count + 1) durations.push((now.sum - before.sum) * 1000);
    before = now;
  }
  return durations.slice(1);
}

async function histogram(agent) {
  const metrics = await agent.metrics();
  return { sum: sumOf(metrics, `${METRIC}_sum`), count: sumOf(metrics, `${METRIC}_count`) };
}
