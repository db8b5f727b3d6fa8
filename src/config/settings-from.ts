import type { DetectorRecord } from "../model/detector-record.ts";
import type { CodeSettings, Ignore, Settings } from "../model/settings.ts";
import { AGENT_TARGET } from "../model/target.ts";
import { defaultCodeSettings } from "./defaults.ts";
import { type ProbeOutside, probeFrom } from "./probe-from.ts";
import type { ConfigValues } from "./schema/config.ts";
import { targetFrom } from "./target-from.ts";
import { tracingFrom } from "./tracing.ts";
import type { Environment } from "./variables.ts";

export interface Outside extends ProbeOutside {
  readonly detectors: readonly DetectorRecord[];
  readonly environment: Environment;
  /** Where the file states none. */
  readonly logFormat?: "json" | "text";
}

/** Checked values as the model's settings: every default filled in, every code resolved. */
export function settingsFrom(values: ConfigValues, outside: Outside): Settings {
  const { detectors, resolvePath, logFormat = "json" } = outside;
  const tracing = tracingFrom(values.tracing, outside.environment);
  const targets = values.targets.map((target) => targetFrom(target, resolvePath));
  const byTarget = new Map<string, FindingValues>([
    ...values.targets.map(({ name, findings }): [string, FindingValues] => [name, findings]),
    [AGENT_TARGET, {}],
  ]);
  return {
    listen: values.listen,
    admin: values.admin,
    ...(values.adminToken === undefined ? {} : { adminToken: resolvePath(values.adminToken) }),
    log: { level: values.log.level, format: values.log.format ?? logFormat },
    ...(tracing === undefined ? {} : { tracing }),
    ...(values.webhook === undefined ? {} : { webhook: values.webhook }),
    ...(values.snapshots === undefined ? {} : { snapshots: resolvePath(values.snapshots) }),
    targets,
    probes: values.probes.map((_, index) => probeFrom(values, index, outside)),
    findings: Object.fromEntries(
      [...byTarget].map(([name, own]) => [name, codesFor(detectors, [values.findings, own])]),
    ),
    ignore: values.ignore.map(ignoreFrom),
  };
}

type FindingValues = ConfigValues["findings"];
type CodeValues = FindingValues[string];

/** Detector default, then each layer in turn; the later one wins, value by value. */
function codesFor(
  detectors: readonly DetectorRecord[],
  layers: readonly FindingValues[],
): Readonly<Record<string, CodeSettings>> {
  return Object.fromEntries(
    detectors.map((record) => {
      const start = defaultCodeSettings(record);
      return [record.code, layers.map((layer) => layer[record.code]).reduce(overlay, start)];
    }),
  );
}

function overlay(settings: CodeSettings, values: CodeValues): CodeSettings {
  if (values === undefined) return settings;
  if (typeof values !== "object") {
    return { ...settings, enabled: values === "on" || values === true };
  }
  const { severity, hold, clearAfter, ...limits } = values;
  const stated = Object.entries(limits).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  return {
    enabled: true,
    ...pinned(severity ?? settings.severity),
    holdMs: hold ?? settings.holdMs,
    clearAfterMs: clearAfter ?? settings.clearAfterMs,
    limits: { ...settings.limits, ...Object.fromEntries(stated) },
  };
}

function pinned(severity: CodeSettings["severity"]): Pick<CodeSettings, "severity"> {
  return severity === undefined ? {} : { severity };
}

function ignoreFrom({ code, target, until, reason }: ConfigValues["ignore"][number]): Ignore {
  return {
    code,
    ...(target === undefined ? {} : { target }),
    ...(until === undefined ? {} : { until }),
    reason,
  };
}
