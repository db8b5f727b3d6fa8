import type { FindingsReport } from "../../src/model/finding.ts";
import type { ChannelzObservation, ProbeObservation } from "../../src/model/observation.ts";
import type { Settings } from "../../src/model/settings.ts";
import type { Snapshot } from "../../src/model/snapshot.ts";
import type { Target } from "../../src/model/target.ts";
import { upstreamName } from "../../src/model/upstream-name.ts";
import type { Code } from "../../src/sinks/prometheus/family.ts";
import { createPrometheusSink, type PrometheusOptions } from "../../src/sinks/prometheus/sink.ts";
import { aSnapshot, NOW } from "../support/snapshot.ts";

export const CODES: readonly Code[] = [
  { code: "connection-refused", layer: "listen" },
  { code: "tls-san-mismatch", layer: "tls" },
  { code: "agent-overloaded", layer: "agent" },
];

export function aTarget(change: Partial<Target> = {}): Target {
  return {
    name: "app",
    role: "app",
    address: "localhost:50051",
    endpoint: { kind: "name", host: "localhost", port: 50051 },
    metadata: [],
    health: { services: [""], expect: "SERVING" },
    channelz: { everyMs: 10_000 },
    startupMs: 600_000,
    ...change,
  };
}

const enabled = { enabled: true, holdMs: 0, clearAfterMs: 60_000, limits: {} };

export function someSettings(change: Partial<Settings> = {}): Settings {
  const targets = change.targets ?? [aTarget()];
  const names = [...targets.map(({ name }) => name), "grpc-doctor"];
  const codes = Object.fromEntries(CODES.map(({ code }) => [code, enabled]));
  return {
    listen: { port: 19_464 },
    admin: { host: "127.0.0.1", port: 19_465 },
    log: { level: "info", format: "json" },
    targets,
    probes: [],
    findings: Object.fromEntries(names.map((name) => [name, codes])),
    ignore: [],
    ...change,
  };
}

export function aProbeSpec(name = "get-order"): Settings["probes"][number] {
  return {
    name,
    target: "app",
    method: "order.OrderService/GetOrder",
    requests: [{}],
    schedule: { everyMs: 30_000 },
    deadlineMs: 500,
    connection: "kept",
    compression: "identity",
    metadata: [],
    expect: { status: "OK", that: [] },
  };
}

export function aReport(change: Partial<FindingsReport> = {}): FindingsReport {
  return {
    generatedAt: NOW,
    targets: [{ name: "app", state: "watched", epoch: 1 }],
    active: [],
    pending: [],
    recent: [],
    suppressed: [],
    unjudged: [],
    capabilities: [],
    ...change,
  };
}

export function aRun(change: Partial<ProbeObservation> = {}): ProbeObservation {
  return {
    source: "probe",
    kind: "run",
    target: "app",
    at: NOW,
    probe: "get-order",
    method: "order.OrderService/GetOrder",
    outcome: "passed",
    status: "OK",
    durationMs: 4,
    firstMessageMs: 3,
    phaseMs: {},
    deadlineMs: 500,
    connection: "kept",
    isFirstOnChannel: false,
    scheduleLagMs: 2,
    requestBytes: 12,
    responseBytes: 30,
    traceId: "0af7651916cd43dd8448eb211c80319c",
    spanId: "b7ad6b7169203331",
    isSampled: true,
    ...change,
  };
}

export function aCycle(change: Partial<ChannelzObservation> = {}): ChannelzObservation {
  return {
    source: "channelz",
    kind: "cycle",
    target: "app",
    at: NOW,
    implementation: "go",
    ownCalls: { started: 0, succeeded: 0, failed: 0, unimplemented: 0 },
    socketCount: 0,
    socketsTruncated: false,
    sockets: [],
    channels: [],
    durationMs: 12,
    ...change,
  };
}

/** A sink whose world is three variables. */
export function startSink(change: Partial<PrometheusOptions> = {}) {
  const world: { settings: Settings; snapshot: Snapshot; report: FindingsReport } = {
    settings: someSettings(),
    snapshot: aSnapshot(),
    report: aReport(),
  };
  const sink = createPrometheusSink({
    snapshot: () => world.snapshot,
    report: () => world.report,
    settings: () => world.settings,
    process: () => ({
      cpuSeconds: 1.5,
      residentBytes: 62_914_560,
      startedAt: NOW - 60_000,
      openFds: 20,
      maxFds: 1024,
    }),
    clock: { now: () => NOW, shown: (at) => at },
    codes: CODES,
    upstreamOf: (target) => upstreamName(target).name,
    build: { version: "1.0.0", node: "v24.1.0" },
    ...change,
  });
  /** The lines of one metric, HELP and TYPE left out. */
  const lines = async (name: string, accept?: string): Promise<readonly string[]> => {
    const { body } = await sink.render(accept);
    const isOf = (line: string) => line.startsWith(`${name}{`) || line.startsWith(`${name} `);
    return body.split("\n").filter(isOf);
  };
  return { sink, world, lines };
}
