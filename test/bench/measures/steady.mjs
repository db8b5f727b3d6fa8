import { spawn } from "node:child_process";
import { setTimeout as delay } from "node:timers/promises";
import { startAgent, sumOf } from "../agent.mjs";
import { startCollector } from "../collector.mjs";
import { median, row } from "../figures.mjs";
import { startPeer } from "../peer.mjs";
import { memory, processorMs } from "../process.mjs";

const SAMPLE_MS = 1_000;
/** CEL is loaded by the first expression. */
const EXPRESSION = "{ status: OK, that: ['size(responses) == 1'] }";

/** What the agent is told to do; each has a grpc-go server of its own. */
const LOADS = {
  none: ({ port }) => ({ address: `127.0.0.1:${port}` }),
  five: ({ port }) => ({ configuration: configuration(port, probes("10s")) }),
  everything: ({ port, metrics }, collector) => ({
    configuration: `tracing: { endpoint: "${collector}", ratio: 1 }
${configuration(port, probes("10s", EXPRESSION), `metrics: "${metrics}"`)}`,
  }),
  busy: ({ port }) => ({ configuration: configuration(port, probes("200ms")) }),
};

/**
 * Memory and processor in the steady state: every load and an empty Node at once, with one command
 * line, first `settleMs` of work and then a window of `windowMs` in which all are sampled.
 */
export async function steady(commandLine, { settleMs, windowMs }) {
  const collector = await startCollector();
  const empty = await startEmpty(commandLine);
  const pairs = await Promise.all(
    Object.entries(LOADS).map(async ([load, optionsOf]) => {
      const peer = await startPeer(["serve", "-metrics"]);
      const agent = await startAgent(commandLine, optionsOf(peer.ready, collector.url));
      return { load, peer, agent };
    }),
  );
  await delay(settleMs);
  const before = await Promise.all(pairs.map(meters));
  const samples = await sample([empty, ...pairs.map(({ agent }) => agent)], windowMs);
  const after = await Promise.all(pairs.map(meters));
  await Promise.all(pairs.map(({ agent }) => agent.stop()));
  await Promise.all(pairs.map(({ peer }) => peer.stop()));
  empty.kill("SIGKILL");
  collector.stop();

  const emptyMib = median(samples[0].map(({ rss }) => rss));
  const seen = pairs.map(({ load }, at) => [
    load,
    {
      rss: median(samples[at + 1].map(({ rss }) => rss)),
      anon: median(samples[at + 1].map(({ anon }) => anon)),
      agentMs: after[at].agentMs - before[at].agentMs,
      peerMs: after[at].peerMs - before[at].peerMs,
      runs: after[at].runs - before[at].runs,
    },
  ]);
  return rows(Object.fromEntries(seen), { emptyMib, windowMs });
}

function rows({ none, five, everything, busy }, { emptyMib, windowMs }) {
  const times = (what, { rss }, budget) =>
    row({ what, unit: "× empty", values: [rss / emptyMib], budget });
  const share = (ms) => (100 * ms) / windowMs;
  const per1000 = ({ agentMs, runs }) => (agentMs - none.agentMs) / runs;
  return [
    row({ what: "an empty Node: resident", unit: "MiB", values: [emptyMib] }),
    times("resident, no probes", none, 1.4),
    times("resident, five probes every 10 s", five, 1.55),
    times("resident, everything on", everything, 1.75),
    times("resident, 25 probes a second", busy, 1.75),
    row({ what: "anonymous, no probes", unit: "MiB", values: [none.anon], budget: 30 }),
    row({ what: "anonymous, five probes", unit: "MiB", values: [five.anon], budget: 30 }),
    row({ what: "anonymous, everything on", unit: "MiB", values: [everything.anon], budget: 30 }),
    row({ what: "anonymous, 25 probes a second", unit: "MiB", values: [busy.anon], budget: 30 }),
    row({
      what: "processor, no probes",
      unit: "% of a core",
      values: [share(none.agentMs)],
      budget: 0.5,
    }),
    row({ what: "processor, five probes", unit: "% of a core", values: [share(five.agentMs)] }),
    row({
      what: "processor, everything on",
      unit: "% of a core",
      values: [share(everything.agentMs)],
    }),
    row({
      what: "processor in the app, no probes",
      unit: "% of a core",
      values: [share(none.peerMs)],
      budget: 0.1,
    }),
    row({
      what: "1000 health checks, five every 10 s (over no probes)",
      unit: "s",
      values: [per1000(five)],
      budget: 1.16,
    }),
    row({
      what: "1000 health checks, 25 a second (over no probes)",
      unit: "s",
      values: [per1000(busy)],
    }),
  ];
}

/** Resident memory at 25 probes a second, from a sixth of the time to its end. */
export async function growth(commandLine, { minutes }) {
  const peer = await startPeer(["serve"]);
  const agent = await startAgent(commandLine, LOADS.busy(peer.ready));
  const ms = minutes * 60_000;
  await delay(ms / 6);
  const early = await sample([agent], 30_000);
  await delay((ms * 5) / 6 - 60_000);
  const late = await sample([agent], 30_000);
  await agent.stop();
  await peer.stop();
  const mib = ([samples]) => median(samples.map(({ rss }) => rss));
  const what = `growth at 25 probes a second, minute ${Math.round(minutes / 6)} to ${minutes}`;
  return [row({ what, unit: "MiB", values: [mib(late) - mib(early)], budget: 1 })];
}

function configuration(port, probes, more = "") {
  return `targets:
  - name: app
    address: "127.0.0.1:${port}"
    ${more}
probes:
${probes}`;
}

function probes(every, expect = "{ status: OK }") {
  return Array.from(
    { length: 5 },
    (_, at) => `  - name: check-${at}
    target: app
    method: grpc.health.v1.Health/Check
    every: ${every}
    deadline: 150ms
    expect: ${expect}
`,
  ).join("");
}

async function startEmpty({ file, flags, env }) {
  const child = spawn(file, [...flags, "-e", "setInterval(() => {}, 1e9)"], {
    env: { ...process.env, ...env },
    stdio: "ignore",
  });
  return { pid: child.pid, kill: (signal) => child.kill(signal) };
}

async function sample(processes, windowMs) {
  const samples = processes.map(() => []);
  for (let left = windowMs; left > 0; left -= SAMPLE_MS) {
    await delay(SAMPLE_MS);
    for (const [at, { pid }] of processes.entries()) samples[at].push(memory(pid));
  }
  return samples;
}

async function meters({ agent, peer }) {
  const metrics = await agent.metrics();
  return {
    agentMs: processorMs(agent.pid),
    peerMs: processorMs(peer.pid),
    runs: sumOf(metrics, "grpc_doctor_probe_runs_total"),
  };
}
