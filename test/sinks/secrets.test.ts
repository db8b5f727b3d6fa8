import { expect, it } from "vitest";
import { startAdminServer } from "../../src/http/admin-server.ts";
import { startListenServer } from "../../src/http/listen-server.ts";
import type { AgentEvent } from "../../src/model/event.ts";
import type { Observation } from "../../src/model/observation.ts";
import { upstreamName } from "../../src/model/upstream-name.ts";
import { fanOut } from "../../src/sinks/fan-out.ts";
import { createLogSink } from "../../src/sinks/log.ts";
import { createOtlpSink } from "../../src/sinks/otlp/sink.ts";
import { negotiate } from "../../src/sinks/prometheus/negotiate.ts";
import { createPrometheusSink } from "../../src/sinks/prometheus/sink.ts";
import { createWebhookSink } from "../../src/sinks/webhook.ts";
import { ask } from "../http/ask.ts";
import { createManualClock } from "../support/clock.ts";
import { aSnapshot } from "../support/snapshot.ts";
import { startCollector } from "./otlp-collector.ts";
import {
  aCycle,
  aProbeSpec,
  aReport,
  aRun,
  aTarget,
  CODES,
  someSettings,
} from "./prometheus-values.ts";
import { aChange, aFinding } from "./values.ts";

/** Wherever the configuration, or an app's own channel, may hold something that is nobody's business. */
const SECRET = "hunter2";

function secretSettings(endpoint: string) {
  const secret = { kind: "literal", value: `Bearer ${SECRET}` } as const;
  const metadata = [{ key: "authorization", value: secret }];
  return someSettings({
    adminToken: `/secrets/${SECRET}`,
    webhook: { url: `http://user:${SECRET}@127.0.0.1:1/${SECRET}?key=${SECRET}` },
    tracing: { endpoint: endpoint.replace("//", `//user:${SECRET}@`), ratio: 1 },
    targets: [
      aTarget({
        metadata,
        tls: { mode: "tls", key: `/secrets/${SECRET}.key`, cert: "/certs/tls.crt" },
      }),
    ],
    probes: [{ ...aProbeSpec(), metadata, requests: [{ password: SECRET }] }],
  });
}

/** Everything that a sink could show of a run, a channel and a finding, once each. */
const observations: readonly Observation[] = [
  aRun({ outcome: "failed", reason: "status", statusText: `password ${SECRET}` }),
  aCycle({
    channels: [
      {
        id: 1,
        state: "READY",
        callsStarted: 1,
        callsSucceeded: 1,
        callsFailed: 0,
        target: `dns:///user:${SECRET}@orders`,
        subchannels: [],
        lastError: SECRET,
      },
    ],
  }),
];

it("shows no secret of the configuration in any output", async () => {
  const collector = await startCollector();
  const settings = () => secretSettings(collector.endpoint);
  const clock = createManualClock();
  const now = () => clock.now();
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line) };
  const report = () => aReport({ active: [aFinding()] });
  const prometheus = createPrometheusSink({
    settings,
    report,
    clock: { now, shown: (at) => at },
    codes: CODES,
    upstreamOf: (target) => upstreamName(target).name,
    build: { version: "1.0.0", node: "v24.1.0" },
    snapshot: () => aSnapshot(),
    process: () => ({ cpuSeconds: 1, residentBytes: 1, startedAt: 0 }),
  });
  const event = (told: AgentEvent) => all.hear(told);
  const identity = { agent: "1.0.0" };
  const sinks = [
    createLogSink({ level: "debug", format: "json", stream, event }),
    createLogSink({ level: "debug", format: "text", stream, event }),
    prometheus,
    createOtlpSink({
      settings,
      report,
      clock,
      event,
      random: () => 0.5,
      environment: {},
      version: "1.0.0",
    }),
    createWebhookSink({ url: () => settings().webhook?.url, identity, clock, event }),
  ];
  const all = fanOut(sinks, { now, event });
  const failed = () => undefined;
  const address = { host: "127.0.0.1", port: 0 };
  const listen = await startListenServer({
    address,
    clock,
    formatOf: negotiate,
    failed,
    ready: () => true,
    defaultTarget: () => "app",
    metrics: (accept) => prometheus.render(accept),
    targetHealth: () => ({ kind: "stale" }),
  });
  const admin = await startAdminServer({
    address,
    clock,
    failed,
    identity,
    findings: report,
    snapshot: () => "{}",
    token: () => Promise.resolve(SECRET),
    reload: () => Promise.resolve({ ok: true, text: "" }),
    drain: () => ({ ok: true, text: "" }),
    drill: () => ({ ok: true, text: "" }),
  });

  for (const observation of observations) all.observe(observation);
  all.change(aChange());
  const over = new AbortController();
  const closed = all.close(over.signal);
  await collector.received(2);
  over.abort();
  await closed;
  const openmetrics = { headers: { accept: "application/openmetrics-text" } };
  const answers = await Promise.all([
    ask(listen.address.port, "/metrics"),
    ask(listen.address.port, "/metrics", openmetrics),
    ask(admin.address.port, "/"),
    ask(admin.address.port, "/findings"),
  ]);
  await Promise.all([listen.close(), admin.close()]);
  collector.stop();

  const pages = answers.map(({ body }) => body.toString());
  const spans = [collector.spans, collector.resources].map((told) => JSON.stringify(told));
  const outputs = [...lines, ...pages, ...spans];
  expect(outputs.filter((output) => output.includes(SECRET))).toEqual([]);
  expect(outputs.filter((output) => output === "")).toEqual([]);
  expect(lines.join("")).toContain("webhook");
  expect(collector.spans).not.toEqual([]);
});
