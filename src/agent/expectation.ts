import type { Expectation } from "../model/facts/expectation.ts";
import type { ProbeSpec } from "../model/probe-spec.ts";
import type { Settings } from "../model/settings.ts";
import { type Endpoint, type Target } from "../model/target.ts";

/** What the configuration expects of a target, as detectors judge against it. */
export function expectationOf(target: Target, settings: Settings): Expectation {
  const { endpoint, tls, authority } = target;
  const probes = settings.probes.filter((probe) => probe.target === target.name);
  return {
    role: target.role,
    address: target.address,
    host: hostOf(endpoint),
    ...(endpoint.kind === "unix" ? {} : { port: endpoint.port }),
    ...(authority === undefined ? {} : { authority }),
    ...(tls === undefined ? {} : { protocol: tls.mode }),
    ...expectedFiles(target),
    health: target.health,
    startupMs: target.startupMs,
    probes: probes.map((probe) => expectedProbe(probe, target)),
  };
}

type Files = "hasCa" | "hasClientCertificate" | "hasCredentials" | "hasServedFile";

/** What the target's TLS files and metadata let the agent judge. */
function expectedFiles({ tls, metadata }: Target): Pick<Expectation, Files> {
  const files = tls?.mode === "tls" ? tls : undefined;
  const certificate = files?.cert !== undefined && files.key !== undefined;
  return {
    hasCa: files?.ca !== undefined,
    hasClientCertificate: certificate,
    hasCredentials: certificate || metadata.length > 0,
    hasServedFile: files?.servedFrom !== undefined,
  };
}

function hostOf(endpoint: Endpoint): Expectation["host"] {
  return endpoint.kind === "unix"
    ? { kind: "unix", name: endpoint.path }
    : { kind: endpoint.kind, name: endpoint.host };
}

function expectedProbe(probe: ProbeSpec, target: Target): Expectation["probes"][number] {
  const { schedule, expect, compression } = probe;
  return {
    name: probe.name,
    method: probe.method,
    ...("everyMs" in schedule ? { everyMs: schedule.everyMs } : {}),
    deadlineMs: probe.deadlineMs,
    ...(expect.latencyMs === undefined ? {} : { objectiveMs: expect.latencyMs }),
    ...(compression === "identity" ? {} : { compression }),
    ...((probe.protoset ?? target.protoset) === undefined ? {} : { hasProtoset: true }),
    hasCredentials: probe.metadata.length > 0 || target.metadata.length > 0,
  };
}
