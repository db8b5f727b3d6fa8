import type { Json } from "../model/json.ts";
import type { ProbeSpec } from "../model/probe-spec.ts";
import { DEFAULTS } from "./defaults.ts";
import type { Breach } from "./rules/rule.ts";
import type { ConfigValues } from "./schema/config.ts";
import { metadataFrom } from "./target-from.ts";
import { parseDuration } from "./units.ts";

export interface ProbeOutside {
  readonly resolvePath: (path: string) => string;
  readonly readFile: (path: string) => string;
  /** Receives what is wrong with a request's file. */
  readonly requestFaults: Breach[];
}

type ProbeValues = ConfigValues["probes"][number];

/** One entry of `probes:` as the model's spec. */
export function probeFrom(values: ConfigValues, index: number, outside: ProbeOutside): ProbeSpec {
  const probe = values.probes[index] as ProbeValues;
  const { name, target, method, connection, compression, expect, protoset, cron } = probe;
  const everyMs = probe.every ?? ms(DEFAULTS.probe.every);
  const intervalMs = cron === undefined ? everyMs : MINUTE_MS;
  const { status, latency, that } = expect;
  return {
    name,
    target,
    method,
    requests: requestsFrom(probe.request, index, outside),
    schedule: cron === undefined ? { everyMs } : { cron },
    deadlineMs: probe.deadline ?? Math.min(ms(DEFAULTS.probe.deadline), intervalMs / 2),
    connection,
    compression,
    metadata: metadataFrom(probe.metadata, outside.resolvePath),
    expect: { status, that, ...(latency === undefined ? {} : { latencyMs: latency }) },
    ...(protoset === undefined ? {} : { protoset: outside.resolvePath(protoset) }),
  };
}

const MINUTE_MS = 60_000;

function requestsFrom(
  request: ProbeValues["request"],
  index: number,
  { readFile, resolvePath, requestFaults }: ProbeOutside,
): readonly Json[] {
  if (typeof request !== "string") return Array.isArray(request) ? request : [request as Json];
  const file = request.slice(1);
  try {
    const content = JSON.parse(readFile(resolvePath(file))) as Json;
    return Array.isArray(content) ? content : [content];
  } catch (thrown) {
    const why = thrown instanceof SyntaxError ? "is no JSON" : "cannot be read";
    requestFaults.push({
      path: ["probes", index, "request"],
      found: `${file}, which ${why}`,
      allowed: "a file with one JSON message, or a list of them",
    });
    return [];
  }
}

function ms(text: string): number {
  return parseDuration(text) ?? 0;
}
