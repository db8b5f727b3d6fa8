import type { FindingsReport } from "../../model/finding.ts";
import { severityRank } from "../../model/finding.ts";
import type { ProbeObservation } from "../../model/observation.ts";
import { PHASES } from "../../model/phase.ts";
import type { Target } from "../../model/target.ts";
import type { Instant } from "../../model/time.ts";
import type { Drain } from "../drain-watch.ts";
import type { Attributes } from "./resource.ts";
import * as names from "./semconv.ts";

/** One span as facts; instants in ms with fractions. */
export interface SpanFacts {
  readonly name: string;
  readonly kind: "internal" | "client";
  readonly startAt: Instant;
  readonly endAt: Instant;
  readonly attributes: Attributes;
  /** Present: the span's status is an error, with this text. */
  readonly error?: string;
  /** The id that was drawn before the call and sent with it; absent = drawn when it is exported. */
  readonly spanId?: string;
}

/** A root and its children. */
export interface TraceFacts {
  /** Absent = drawn when it is exported. */
  readonly traceId?: string;
  readonly root: SpanFacts;
  readonly children: readonly SpanFacts[];
}

/**
 * The trace of one run: the probe, under it the call with the ids that went to the server, and beside
 * the call the phases of its connection where that was fresh.
 */
export function probeTrace(run: ProbeObservation, target: Target | undefined): TraceFacts {
  const startAt = run.at - run.durationMs;
  const phases = phaseSpans(run, startAt);
  const root: SpanFacts = {
    name: `probe ${run.probe}`,
    kind: "internal",
    startAt,
    endAt: run.at,
    attributes: {
      [names.TARGET]: run.target,
      [names.PROBE_NAME]: run.probe,
      [names.PROBE_OUTCOME]: run.outcome,
      [names.PROBE_CONNECTION]: run.connection,
      [names.SYNTHETIC_TYPE]: "test",
      ...(run.phase === undefined ? {} : { [names.PROBE_PHASE]: run.phase }),
      ...(run.reason === undefined ? {} : { [names.ERROR_TYPE]: run.reason }),
    },
    ...(run.outcome === "failed" ? { error: failureText(run) } : {}),
  };
  const call = callSpan(run, target, phases.at(-1)?.endAt ?? startAt);
  return { traceId: run.traceId, root, children: [...phases, call] };
}

/** The trace of a run that showed this finding, or none. */
export function showing(trace: TraceFacts, code: string | undefined): TraceFacts {
  if (code === undefined) return trace;
  const { root } = trace;
  return {
    ...trace,
    root: { ...root, attributes: { ...root.attributes, [names.FINDING_CODE]: code } },
  };
}

/** The trace of a drain that ended; nobody sent its ids anywhere. */
export function drainTrace(drain: Drain, endAt: Instant): TraceFacts {
  const lead = drain.notServingLeadMs;
  const root: SpanFacts = {
    name: `drain ${drain.target}`,
    kind: "internal",
    startAt: drain.beganAt,
    endAt,
    attributes: {
      [names.TARGET]: drain.target,
      ...(lead === undefined ? {} : { [names.NOT_SERVING_LEAD]: lead / 1000 }),
    },
  };
  return { root, children: [] };
}

/**
 * The code of the finding that this run showed: the worst active one of that run or that probe, or
 * the root cause of the one that was silenced.
 */
export function findingCode(run: ProbeObservation, report: FindingsReport): string | undefined {
  const isShown = (finding: FindingsReport["active"][number]) =>
    finding.target === run.target &&
    (finding.traceId === run.traceId ||
      (run.outcome === "failed" && finding.subject["probe"] === run.probe));
  const [worst] = report.active
    .filter(isShown)
    .toSorted((a, b) => severityRank(b.severity) - severityRank(a.severity));
  return worst?.code ?? report.suppressed.find(isShown)?.because;
}

/** The phases before the call, one after the other; a kept connection has none. */
function phaseSpans(run: ProbeObservation, startAt: Instant): readonly SpanFacts[] {
  if (run.connection === "kept") return [];
  let begin = startAt;
  return PHASES.filter((phase) => phase !== "rpc").flatMap((phase): SpanFacts[] => {
    const ms = run.phaseMs[phase];
    if (ms === undefined) return [];
    const endAt = Math.min(begin + ms, run.at);
    const failed = run.outcome === "failed" && run.phase === phase;
    const span: SpanFacts = {
      name: phase,
      kind: "internal",
      startAt: begin,
      endAt,
      attributes: run.reason !== undefined && failed ? { [names.ERROR_TYPE]: run.reason } : {},
      ...(failed ? { error: failureText(run) } : {}),
    };
    begin = endAt;
    return [span];
  });
}

/** By the conventions every status but OK is a client's error, also where the probe expects it. */
function callSpan(run: ProbeObservation, target: Target | undefined, startAt: Instant): SpanFacts {
  const { method, status, reason, spanId, at } = run;
  const isError = status === undefined ? run.outcome === "failed" : status !== "OK";
  return {
    name: method,
    kind: "client",
    startAt,
    endAt: at,
    attributes: {
      [names.RPC_SYSTEM_NAME]: "grpc",
      [names.RPC_METHOD]: method,
      ...(status === undefined ? {} : { [names.RPC_STATUS_CODE]: status }),
      ...serverAttributes(target),
      ...peerAttributes(run.peer),
      ...(isError ? { [names.ERROR_TYPE]: status ?? reason ?? "other" } : {}),
    },
    ...(isError ? { error: failureText(run) } : {}),
    spanId,
  };
}

/** From the target as configured, not from the peer that it led to. */
function serverAttributes(target: Target | undefined): Attributes {
  if (target === undefined) return {};
  const { endpoint } = target;
  if (endpoint.kind === "unix") return { [names.SERVER_ADDRESS]: endpoint.path };
  return { [names.SERVER_ADDRESS]: endpoint.host, [names.SERVER_PORT]: endpoint.port };
}

function peerAttributes(peer: string | undefined): Attributes {
  const [, host, port] = /^\[?([^\]]+?)\]?:(\d+)$/.exec(peer ?? "") ?? [];
  if (host === undefined) return peer === undefined ? {} : { [names.NETWORK_PEER_ADDRESS]: peer };
  return { [names.NETWORK_PEER_ADDRESS]: host, [names.NETWORK_PEER_PORT]: Number(port) };
}

/** Words of closed sets; a server's text stays in the finding, masked. */
function failureText({ phase, reason, status }: ProbeObservation): string {
  return [phase, reason, status].filter((word) => word !== undefined).join(" ");
}
