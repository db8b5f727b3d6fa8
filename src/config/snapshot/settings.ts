import * as z from "zod";
import { SEVERITIES } from "../../model/finding.ts";
import type { Json } from "../../model/json.ts";
import type { ProbeSpec } from "../../model/probe-spec.ts";
import type { CodeSettings, Settings } from "../../model/settings.ts";
import { STATUS_NAMES } from "../../model/status.ts";
import type { MetadataEntry, Target } from "../../model/target.ts";
import { count, exactly, flag, instant, list, maybe, record, text } from "./bounds.ts";

const listenAddress = z.object({ host: maybe(text), port: count });

const codeSettings = exactly<CodeSettings>()({
  enabled: flag,
  severity: maybe(z.enum(SEVERITIES)),
  holdMs: count,
  clearAfterMs: count,
  limits: record(count, 50),
});

const metadataEntry = exactly<MetadataEntry>()({
  key: text,
  value: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("literal"), value: text }),
    z.object({ kind: z.literal("file"), path: text, prefix: text }),
  ]),
});

const target = exactly<Target>()({
  name: text,
  role: z.enum(["app", "upstream"]),
  address: text,
  endpoint: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("name"), host: text, port: count, nameServer: maybe(text) }),
    z.object({ kind: z.literal("ip"), host: text, port: count }),
    z.object({ kind: z.literal("unix"), path: text }),
  ]),
  authority: maybe(text),
  tls: maybe(
    z.discriminatedUnion("mode", [
      z.object({ mode: z.literal("plaintext") }),
      z.object({
        mode: z.literal("tls"),
        ca: maybe(text),
        cert: maybe(text),
        key: maybe(text),
        servedFrom: maybe(text),
      }),
    ]),
  ),
  metadata: list(metadataEntry, 100),
  health: z.object({
    services: list(text, 100),
    expect: z.enum(["SERVING", "NOT_SERVING", "any"]),
  }),
  channelz: maybe(z.object({ everyMs: count })),
  metrics: maybe(text),
  protoset: maybe(text),
  startupMs: count,
});

const probe = exactly<ProbeSpec>()({
  name: text,
  target: text,
  method: text,
  // Payloads are in no snapshot; what a stranger puts there is not read.
  requests: z.unknown().transform((): readonly Json[] => []),
  schedule: z.union([z.object({ everyMs: count }), z.object({ cron: text })]),
  deadlineMs: count,
  connection: z.enum(["kept", "fresh"]),
  compression: z.enum(["identity", "gzip", "deflate"]),
  metadata: list(metadataEntry, 100),
  expect: z.object({
    status: z.enum(STATUS_NAMES),
    latencyMs: maybe(count),
    that: list(text, 100),
  }),
  protoset: maybe(text),
});

/** The configuration that a snapshot was judged by. */
export const settingsSchema = exactly<Settings>()({
  listen: listenAddress,
  admin: listenAddress,
  adminToken: maybe(text),
  log: z.object({
    level: z.enum(["debug", "info", "warn", "error"]),
    format: z.enum(["json", "text"]),
  }),
  tracing: maybe(z.object({ endpoint: maybe(text), ratio: count })),
  webhook: maybe(z.object({ url: text })),
  snapshots: maybe(text),
  targets: list(target, 200),
  probes: list(probe, 500),
  findings: record(record(codeSettings, 200), 200),
  ignore: list(
    z.object({ code: text, target: maybe(text), until: maybe(instant), reason: text }),
    500,
  ),
});
