import { stringify } from "yaml";
import type { DetectorRecord, Limit } from "../model/detector-record.ts";
import type { ProbeSpec } from "../model/probe-spec.ts";
import type { CodeSettings, Settings } from "../model/settings.ts";
import { AGENT_TARGET, hostPort, type MetadataEntry, type Target } from "../model/target.ts";
import { rfc3339 } from "../model/time.ts";
import { defaultCodeSettings } from "./defaults.ts";
import { limitText } from "./limit-text.ts";
import { maskSettings } from "./mask-settings.ts";
import { formatDuration } from "./units.ts";

export interface PrintOptions {
  readonly detectors: readonly DetectorRecord[];
  /** True: every code with all its limits, also where nothing was configured. */
  readonly withDefaults: boolean;
}

type Mapping = Record<string, unknown>;

/** The configuration in effect as a file that says the same, with every secret masked. */
export function printSettings(settings: Settings, options: PrintOptions): string {
  const { probes, ...masked } = maskSettings(settings);
  // Whoever can read the file may see what its probes send; a snapshot travels further.
  const requests = settings.probes.map((probe) => probe.requests);
  const shown = probes.map((probe, index) => ({ ...probe, requests: requests[index] ?? [] }));
  return stringify(settingsDocument({ ...masked, probes: shown }, options), { lineWidth: 100 });
}

/** Settings as plain values, in the shape of the file. */
function settingsDocument(settings: Settings, options: PrintOptions): Mapping {
  const { listen, admin, adminToken, log, tracing, webhook, snapshots } = settings;
  return compact({
    listen: hostPort(listen.host ?? "", listen.port),
    admin: hostPort(admin.host ?? "", admin.port),
    adminToken,
    log: { ...log },
    tracing:
      tracing &&
      compact({
        endpoint: tracing.endpoint,
        ratio: tracing.ratio,
      }),
    webhook,
    snapshots,
    targets: settings.targets.map((target) => targetDocument(target, settings, options)),
    probes: settings.probes.length > 0 ? settings.probes.map(probeDocument) : undefined,
    findings: filled(
      codesDocument(settings.findings[AGENT_TARGET], { ...options, layer: "agent" }),
    ),
    ignore: settings.ignore.length > 0 ? settings.ignore.map(ignoreDocument) : undefined,
  });
}

function targetDocument(target: Target, settings: Settings, options: PrintOptions): Mapping {
  const { name, role, address, authority, health, metrics, protoset, channelz } = target;
  return compact({
    name,
    role,
    address,
    authority,
    tls: tlsDocument(target.tls),
    metadata: filled(metadataDocument(target.metadata)),
    health: { services: [...health.services], expect: health.expect },
    channelz: channelz === undefined ? "off" : { every: formatDuration(channelz.everyMs) },
    metrics,
    protoset,
    startup: formatDuration(target.startupMs),
    findings: filled(codesDocument(settings.findings[name], { ...options, layer: "target" })),
  });
}

function tlsDocument(tls: Target["tls"]): unknown {
  if (tls === undefined) return undefined;
  if (tls.mode === "plaintext") return "off";
  const { mode: _mode, ...files } = tls;
  return Object.keys(files).length === 0 ? "on" : files;
}

function metadataDocument(entries: readonly MetadataEntry[]): Mapping {
  return Object.fromEntries(
    entries.map(({ key, value }) => [
      key,
      value.kind === "literal"
        ? value.value
        : compact({ file: value.path, prefix: value.prefix || undefined }),
    ]),
  );
}

function probeDocument(probe: ProbeSpec): Mapping {
  const { name, target, method, requests, schedule, connection, compression, expect, protoset } =
    probe;
  const [only] = requests;
  const isMapping =
    requests.length === 1 && typeof only === "object" && only !== null && !Array.isArray(only);
  return compact({
    name,
    target,
    method,
    request: isMapping ? only : [...requests],
    ...("cron" in schedule ? schedule : { every: formatDuration(schedule.everyMs) }),
    deadline: formatDuration(probe.deadlineMs),
    connection,
    compression,
    metadata: filled(metadataDocument(probe.metadata)),
    expect: compact({
      status: expect.status,
      latency: expect.latencyMs === undefined ? undefined : formatDuration(expect.latencyMs),
      that: expect.that.length > 0 ? [...expect.that] : undefined,
    }),
    protoset,
  });
}

function ignoreDocument({ until, ...rest }: Settings["ignore"][number]): Mapping {
  return compact({ ...rest, until: until === undefined ? undefined : rfc3339(until) });
}

/** Codes of one target; those of the agent's layer stand at the top of the file, where they hold. */
function codesDocument(
  codes: Readonly<Record<string, CodeSettings>> | undefined,
  { detectors, withDefaults, layer }: PrintOptions & { readonly layer: "agent" | "target" },
): Mapping {
  const own = detectors.filter((record) => (record.layer === "agent") === (layer === "agent"));
  return Object.fromEntries(
    own.flatMap((record) => {
      const settings = codes?.[record.code];
      if (settings === undefined) return [];
      const changed = codeDocument(record, settings, withDefaults);
      return changed === undefined ? [] : [[record.code, changed]];
    }),
  );
}

function codeDocument(
  record: DetectorRecord,
  settings: CodeSettings,
  withDefaults: boolean,
): unknown {
  const usual = defaultCodeSettings(record);
  const differs = (a: unknown, b: unknown) => withDefaults || a !== b;
  if (!settings.enabled) return differs(usual.enabled, false) ? "off" : undefined;
  const limits = Object.entries(record.limits)
    .filter(([name]) => differs(settings.limits[name], usual.limits[name]))
    .map(([name, limit]) => [name, limitValue(limit, settings.limits[name] ?? limit.default)]);
  const document = compact({
    severity: settings.severity,
    hold: differs(settings.holdMs, usual.holdMs) ? formatDuration(settings.holdMs) : undefined,
    clearAfter: differs(settings.clearAfterMs, usual.clearAfterMs)
      ? formatDuration(settings.clearAfterMs)
      : undefined,
    ...Object.fromEntries(limits),
  });
  if (Object.keys(document).length > 0) return document;
  return usual.enabled ? undefined : "on";
}

function limitValue(limit: Limit, value: number): unknown {
  return limit.unit === "ms" || limit.unit === "bytes" ? limitText(limit, value) : value;
}

function filled(mapping: Mapping): Mapping | undefined {
  return Object.keys(mapping).length > 0 ? mapping : undefined;
}

function compact(mapping: Mapping): Mapping {
  return Object.fromEntries(Object.entries(mapping).filter(([, value]) => value !== undefined));
}
