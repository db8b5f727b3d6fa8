import { expect, it } from "vitest";
import type { ChannelFacts } from "../../src/model/channelz.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Observation } from "../../src/model/observation.ts";
import { defaultSeries } from "../../src/sinks/prometheus/document.ts";
import { FAMILIES } from "../../src/sinks/prometheus/families/index.ts";
import {
  aCallPoll,
  aCertificate,
  aKept,
  aListeners,
  anXray,
  anXrayReport,
  aResolution,
  aSelf,
  aServerCalls,
  aSnapshot,
  aTargetSnapshot,
  knownFacts,
  NOW,
  someChannels,
  someHealth,
  someProbes,
  someSockets,
  someTls,
} from "../support/snapshot.ts";
import { aCycle, aProbeSpec, aRun, aTarget, someSettings, startSink } from "./prometheus-values.ts";
import { aChange, aFinding } from "./values.ts";

const aChannel = (change: Partial<ChannelFacts> = {}): ChannelFacts => ({
  id: 1,
  state: "READY",
  target: "dns:///inventory.shop.svc:50051",
  callsStarted: 0,
  callsSucceeded: 0,
  callsFailed: 0,
  subchannels: [],
  ...change,
});

const aSubchannel = (state: ChannelFacts["state"]): ChannelFacts["subchannels"][number] => ({
  id: 9,
  state,
  target: "",
  callsStarted: 0,
  callsSucceeded: 0,
  callsFailed: 0,
  remotes: [],
  openStreams: 0,
});

const report = anXrayReport({
  phaseMs: { dns: 1, tcp: 0.2, tls: 3, http2: 1, rpc: 1 },
  tls: someTls({ chain: [aCertificate(), aCertificate(), aCertificate()] }),
});

/** Everything that a default pod can know. */
const allFacts: Partial<Facts> = {
  kept: aKept(),
  xray: anXray({ latest: report, lastSettings: { maxConcurrentStreams: 100 } }),
  health: someHealth(),
  serverCalls: aServerCalls(),
  sockets: someSockets(),
  channels: someChannels(),
  resolution: aResolution(),
  listeners: aListeners(),
};

/** And everything that happens in one: a look of each source, and a drain. */
const allObservations: readonly Observation[] = [
  { source: "preflight", kind: "xray", target: "app", at: NOW, report },
  aCycle({ channels: [aChannel({ subchannels: [aSubchannel("READY")] })] }),
  {
    source: "health",
    kind: "status",
    target: "app",
    at: NOW - 5000,
    via: "watch",
    service: "",
    status: "NOT_SERVING",
  },
  { source: "drain", kind: "signal", target: "app", at: NOW - 2000, by: "sigterm" },
];

function watching(
  facts: Partial<Facts>,
  more: Partial<Parameters<typeof aTargetSnapshot>[0]> = {},
) {
  const agent = aTargetSnapshot({ facts: knownFacts({ self: aSelf() }) });
  const app = aTargetSnapshot({ facts: knownFacts(facts), ...more });
  return aSnapshot({ targets: { app, "grpc-doctor": agent } });
}

it("exposes a whole pod as its readers parse it, in text and in OpenMetrics", async () => {
  const { sink, world } = startSink();
  world.settings = someSettings({
    targets: [
      aTarget(),
      aTarget({
        name: "inventory",
        role: "upstream",
        endpoint: { kind: "name", host: "inventory.shop.svc", port: 50_051 },
      }),
    ],
    probes: [aProbeSpec()],
  });
  world.snapshot = watching({ ...allFacts, probes: someProbes() });
  world.report = { ...world.report, active: [aFinding()] };
  for (const observation of allObservations) sink.observe?.(observation);
  sink.observe?.(aRun({ isSampled: false }));
  sink.change?.(aChange());
  const text = await sink.render(undefined);
  await expect(text.body).toMatchFileSnapshot("golden/metrics.txt");
  const open = await sink.render("application/openmetrics-text;version=1.0.0");
  await expect(open.body).toMatchFileSnapshot("golden/metrics.openmetrics.txt");
});

it.each(FAMILIES.map((family) => [family.name, family] as const))(
  "counts the series of %s in the default pod as the document does",
  async (name, family) => {
    const { sink, world } = startSink();
    world.snapshot = watching(allFacts);
    sink.hear?.({
      kind: "started",
      notYet: [],
      version: "1.0.0",
      targets: 1,
      probes: 0,
      listen: ":19464",
      admin: "127.0.0.1:19465",
      at: NOW,
    });
    for (const observation of allObservations) sink.observe?.(observation);
    const { body } = await sink.render(undefined);
    const own = new RegExp(`^${name}(_bucket|_sum|_count)?[{ ]`);
    const lines = body.split("\n").filter((line) => own.test(line));
    expect(lines.length).toBe(defaultSeries(family, { appCodes: 2, agentCodes: 1 }));
  },
);

it("shows 0 for a code that is well, its severity while it is active, nothing while unjudged", async () => {
  const { world, lines } = startSink();
  world.report = {
    ...world.report,
    active: [aFinding({ severity: "info" }), aFinding({ severity: "warning", subject: {} })],
    unjudged: [{ target: "app", code: "connection-refused", because: "waiting" }],
  };
  expect(await lines("grpc_doctor_finding_severity")).toEqual([
    'grpc_doctor_finding_severity{target="app",code="tls-san-mismatch"} 2',
    'grpc_doctor_finding_severity{target="grpc-doctor",code="agent-overloaded"} 0',
  ]);
  expect(await lines("grpc_doctor_findings_unjudged")).toEqual([
    'grpc_doctor_findings_unjudged{target="app"} 1',
    'grpc_doctor_findings_unjudged{target="grpc-doctor"} 0',
  ]);
});

it("has no series for a code that is off", async () => {
  const { world, lines } = startSink();
  const off = { enabled: false, holdMs: 0, clearAfterMs: 0, limits: {} };
  world.settings = someSettings({
    findings: { app: { "tls-san-mismatch": off, "connection-refused": { ...off, enabled: true } } },
  });
  expect(await lines("grpc_doctor_finding_severity")).toEqual([
    'grpc_doctor_finding_severity{target="app",code="connection-refused"} 0',
  ]);
});

it("counts what opened, and no other transition", async () => {
  const { sink, lines } = startSink();
  sink.change?.(aChange());
  sink.change?.(aChange({ transition: "reminded" }));
  sink.change?.(aChange({ transition: "resolved" }));
  expect(await lines("grpc_doctor_findings_total")).toContain(
    'grpc_doctor_findings_total{target="app",code="tls-san-mismatch"} 1',
  );
});

it.each([
  ["nothing was tried", {}, []],
  ["the kept connection is open", { kept: aKept() }, ['grpc_doctor_target_up{target="app"} 1']],
  [
    "a fresh one worked",
    { kept: aKept({ state: "closed" }), xray: anXray() },
    ['grpc_doctor_target_up{target="app"} 1'],
  ],
  [
    "the fresh one failed",
    { xray: anXray({ latest: anXrayReport({ outcome: "failed" }) }) },
    ['grpc_doctor_target_up{target="app"} 0'],
  ],
])("tells whether the target is up when %s", async (_when, facts, want) => {
  const { world, lines } = startSink();
  world.snapshot = watching(facts);
  expect(await lines("grpc_doctor_target_up")).toEqual(want);
});

it("says whether a source can see, its own word first", async () => {
  const { world, lines } = startSink();
  const capability = { source: "channelz", available: false, since: NOW } as const;
  const partial = { ...capability, source: "health", part: "List" } as const;
  world.snapshot = watching(
    { health: someHealth(), serverCalls: aServerCalls() },
    { capabilities: [capability, partial] },
  );
  expect(await lines("grpc_doctor_source_available")).toEqual([
    'grpc_doctor_source_available{target="app",source="health"} 1',
    'grpc_doctor_source_available{target="app",source="channelz"} 0',
  ]);
});

it("counts health transitions of configured services alone", async () => {
  const { sink, lines } = startSink();
  const say = (status: "SERVING" | "NOT_SERVING", service: string) =>
    sink.observe?.({
      source: "health",
      kind: "status",
      target: "app",
      at: NOW,
      via: "watch",
      service,
      status,
    });
  say("SERVING", "");
  say("SERVING", "");
  say("NOT_SERVING", "");
  say("SERVING", "secret.Service");
  say("NOT_SERVING", "secret.Service");
  expect(await lines("grpc_doctor_health_transitions_total")).toEqual([
    'grpc_doctor_health_transitions_total{target="app",grpc_service=""} 1',
  ]);
});

it("adds up the lives of a server, and never falls", async () => {
  const { world, lines } = startSink();
  const started = async (epoch: number, count: number) => {
    const poll = aCallPoll({ started: count });
    const facts = { serverCalls: aServerCalls({ polls: [poll] }) };
    world.snapshot = watching(facts, { epoch });
    return lines("grpc_doctor_channelz_server_calls_started_total");
  };
  const line = (count: number) => [
    `grpc_doctor_channelz_server_calls_started_total{target="app"} ${count}`,
  ];
  expect(await started(1, 100)).toEqual(line(100));
  expect(await started(1, 150)).toEqual(line(150));
  expect(await started(2, 10)).toEqual(line(160));
  world.snapshot = watching({}, { epoch: 2 });
  expect(await lines("grpc_doctor_channelz_server_calls_started_total")).toEqual(line(160));
  expect(await started(2, 30)).toEqual(line(180));
});

it("counts the calls of channels that come and go, from our first look on", async () => {
  const { sink, lines } = startSink();
  const look = (...channels: readonly ChannelFacts[]) => sink.observe?.(aCycle({ channels }));
  look(aChannel({ id: 1, callsStarted: 1_000_000 }));
  look(aChannel({ id: 1, callsStarted: 1_000_010 }), aChannel({ id: 2, callsStarted: 5 }));
  look(aChannel({ id: 2, callsStarted: 7 }));
  look(aChannel({ id: 2, callsStarted: 3 }));
  expect(await lines("grpc_doctor_channelz_channel_calls_started_total")).toEqual([
    'grpc_doctor_channelz_channel_calls_started_total{target="app",channel="other"} 20',
  ]);
});

it.each([
  ["dns:///inventory.shop.svc:50051", "inventory"],
  ["Inventory.shop.svc:50051", "inventory"],
  ["passthrough:///inventory.shop.svc:50051", "inventory"],
  ["dns://10.0.0.10/inventory.shop.svc:50051", "inventory"],
  ["dns:inventory.shop.svc:50051", "inventory"],
  ["inventory.shop.svc:50052", "other"],
  ["dns:///user:hunter2@elsewhere:50051", "other"],
  ["unix:/run/app.sock", "other"],
])("labels the channel to %s as %s", async (target, channel) => {
  const { sink, world, lines } = startSink();
  const endpoint = { kind: "name", host: "inventory.shop.svc", port: 50_051 } as const;
  const upstream = aTarget({ name: "inventory", role: "upstream", endpoint });
  world.settings = someSettings({ targets: [aTarget(), upstream] });
  sink.observe?.(aCycle());
  sink.observe?.(aCycle({ channels: [aChannel({ target, callsFailed: 3 })] }));
  expect(await lines("grpc_doctor_channelz_channel_calls_failed_total")).toContain(
    `grpc_doctor_channelz_channel_calls_failed_total{target="app",channel="${channel}"} 3`,
  );
});

it("follows a drain from its signal to the end of the listener", async () => {
  const { sink, world, lines } = startSink();
  world.snapshot = watching({ serverCalls: aServerCalls() });
  const kernel = (at: number, isListening: boolean): Observation =>
    ({
      source: "kernel",
      kind: "read",
      target: "app",
      at,
      listeners: isListening ? [{ address: "::", port: 50_051, queued: 0 }] : [],
    }) as unknown as Observation;
  sink.observe?.(kernel(NOW - 9000, true));
  expect(await lines("grpc_doctor_drain_seconds")).toEqual([]);
  for (const observation of allObservations) sink.observe?.(observation);
  sink.observe?.(kernel(NOW - 500, false));
  expect(await lines("grpc_doctor_drain_seconds")).toEqual([
    'grpc_doctor_drain_seconds{target="app"} 1.5',
  ]);
  expect(await lines("grpc_doctor_drain_not_serving_lead_seconds")).toEqual([
    'grpc_doctor_drain_not_serving_lead_seconds{target="app"} 3',
  ]);
});

it("keeps the reload that failed, and when the running one was taken", async () => {
  const { sink, lines } = startSink();
  sink.hear?.({
    kind: "config-rejected",
    file: "config.yaml",
    faults: ["x"],
    runningOn: "last-good",
    runningSince: NOW - 60_000,
    at: NOW,
  });
  expect(await lines("grpc_doctor_config_last_reload_successful")).toEqual([
    "grpc_doctor_config_last_reload_successful 0",
  ]);
  expect(await lines("grpc_doctor_config_last_reload_success_timestamp_seconds")).toEqual([
    `grpc_doctor_config_last_reload_success_timestamp_seconds ${NOW / 1000 - 60}`,
  ]);
});

it("shows stamps by the wall clock as it goes now, and durations by no wall clock", async () => {
  let setBy = 0;
  const clock = { now: () => NOW, shown: (at: number) => at + setBy };
  const { sink, world, lines } = startSink({ clock });
  world.settings = someSettings({ probes: [aProbeSpec()] });
  sink.hear?.({
    kind: "started",
    notYet: [],
    at: NOW,
    version: "1",
    targets: 1,
    probes: 1,
    listen: "",
    admin: "",
  });
  sink.observe?.(aRun({ at: NOW }));
  sink.observe?.({
    source: "drain",
    kind: "signal",
    target: "app",
    at: NOW - 2_000,
    by: "sigterm",
  });
  setBy = 3_600_000;
  const later = NOW / 1000 + 3_600;
  expect(await lines("grpc_doctor_probe_last_run_timestamp_seconds")).toEqual([
    `grpc_doctor_probe_last_run_timestamp_seconds{target="app",probe="get-order"} ${later}`,
  ]);
  expect(await lines("grpc_doctor_config_last_reload_success_timestamp_seconds")).toEqual([
    `grpc_doctor_config_last_reload_success_timestamp_seconds ${later}`,
  ]);
  expect(await lines("grpc_doctor_drain_seconds")).toEqual([
    'grpc_doctor_drain_seconds{target="app"} 2',
  ]);
});

it("tells a probe that cannot run from one that fails", async () => {
  const { sink, world, lines } = startSink();
  world.settings = someSettings({ probes: [aProbeSpec()] });
  const runnable = () => lines("grpc_doctor_probe_runnable");
  const before = await runnable();
  sink.observe?.(aRun({ outcome: "failed" }));
  const failed = await runnable();
  sink.observe?.(aRun({ outcome: "unsupported" }));
  const labels = '{target="app",probe="get-order"}';
  expect([before, failed, await runnable()]).toEqual([
    [],
    [`grpc_doctor_probe_runnable${labels} 1`],
    [`grpc_doctor_probe_runnable${labels} 0`],
  ]);
});
