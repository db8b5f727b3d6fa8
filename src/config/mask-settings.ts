import type { ProbeSpec } from "../model/probe-spec.ts";
import type { Settings } from "../model/settings.ts";
import type { MetadataEntry, Target } from "../model/target.ts";

/** Stands where a secret was. */
const MASKED = "masked";

/**
 * The settings as others may see them: no metadata value, no payload of a probe, no credentials or
 * query of a URL. What a detector judges by is all there.
 */
export function maskSettings(settings: Settings): Settings {
  const { tracing, webhook } = settings;
  return {
    ...settings,
    targets: settings.targets.map(maskTarget),
    probes: settings.probes.map(maskProbe),
    ...(tracing?.endpoint === undefined
      ? {}
      : { tracing: { ...tracing, endpoint: maskUrl(tracing.endpoint) } }),
    // The path of a webhook is its secret.
    ...(webhook === undefined ? {} : { webhook: { url: `${originOf(webhook.url)}/${MASKED}` } }),
  };
}

function maskTarget(target: Target): Target {
  const metrics = target.metrics === undefined ? {} : { metrics: maskUrl(target.metrics) };
  return { ...target, metadata: target.metadata.map(maskEntry), ...metrics };
}

function maskProbe(probe: ProbeSpec): ProbeSpec {
  return { ...probe, requests: [], metadata: probe.metadata.map(maskEntry) };
}

function maskEntry({ key, value }: MetadataEntry): MetadataEntry {
  return { key, value: value.kind === "literal" ? { kind: "literal", value: MASKED } : value };
}

function maskUrl(url: string): string {
  if (!URL.canParse(url)) return MASKED;
  const { protocol, host, pathname, search, username, password } = new URL(url);
  const user = username === "" && password === "" ? "" : `${MASKED}@`;
  return `${protocol}//${user}${host}${pathname}${search === "" ? "" : `?${MASKED}`}`;
}

function originOf(url: string): string {
  return /^https?:/i.test(url) && URL.canParse(url) ? new URL(url).origin : MASKED;
}
