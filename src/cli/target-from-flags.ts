import { defaultSettings } from "../config/defaults.ts";
import type { DetectorRecord } from "../model/detector-record.ts";
import type { Settings } from "../model/settings.ts";
import {
  AGENT_TARGET,
  type MetadataEntry,
  type Target,
  type TlsExpectation,
} from "../model/target.ts";
import { UsageError } from "./exit.ts";
import type { Arguments } from "./flag.ts";

/** The settings that one address and grpcurl's connection flags stand for. */
export function settingsFromFlags(
  address: string,
  given: Arguments,
  detectors: readonly DetectorRecord[],
): Settings {
  const parsed = defaultSettings({ address, detectors });
  if ("allowed" in parsed) throw new UsageError(`ADDR takes ${parsed.allowed}, not ${address}`);
  const settings = parsed.value;
  return { ...settings, targets: settings.targets.map((target) => withFlags(target, given)) };
}

/**
 * One set of settings out of those of each address, with the flags for all: the first target is `app`,
 * a further one `app-PORT`.
 */
export function joinSettings(
  first: Settings,
  more: readonly Settings[],
  given: Arguments,
): Settings {
  const further = more.flatMap(({ targets }) =>
    targets.map((target) => ({ ...target, name: `${target.name}-${portOf(target)}` })),
  );
  const targets = [...first.targets, ...further].map((target) => withFlags(target, given));
  const codes = first.findings[AGENT_TARGET] ?? {};
  const findings = Object.fromEntries(further.map(({ name }) => [name, codes]));
  return { ...first, targets, findings: { ...first.findings, ...findings } };
}

function portOf({ endpoint, address }: Target): number {
  if (endpoint.kind !== "unix") return endpoint.port;
  throw new UsageError(`--target takes a socket's path only alone, not ${address} beside others`);
}

/** The target of an address and the connection flags, without any code's settings. */
export function targetFromFlags(address: string, given: Arguments): Target {
  const [target] = settingsFromFlags(address, given, []).targets;
  if (target === undefined) throw new UsageError("ADDR is missing");
  return target;
}

/** What `-max-time` allows; seconds, as grpcurl has it. */
export function maxTimeMs(given: Arguments): number {
  const text = given.texts["max-time"] ?? "10";
  const seconds = Number(text);
  if (!(seconds > 0 && seconds <= 86_400))
    throw new UsageError(`--max-time takes seconds, not ${text}`);
  return seconds * 1000;
}

function withFlags(target: Target, given: Arguments): Target {
  const { texts, lists } = given;
  const authority = texts["authority"] ?? texts["servername"];
  const tls = tlsFromFlags(given);
  return {
    ...target,
    ...(authority === undefined ? {} : { authority }),
    ...(tls === undefined ? {} : { tls }),
    metadata: (lists["H"] ?? []).map(headerEntry),
  };
}

function tlsFromFlags(given: Arguments): TlsExpectation | undefined {
  const { cacert, cert, key } = given.texts;
  refuseContradictions(given);
  if (given.switches.has("plaintext")) return { mode: "plaintext" };
  if (!hasTlsFlag(given)) return undefined;
  return {
    mode: "tls",
    ...(cacert === undefined ? {} : { ca: cacert }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  };
}

function hasTlsFlag({ texts, switches }: Arguments): boolean {
  return (
    switches.has("insecure") ||
    switches.has("tls") ||
    ["cacert", "cert", "key"].some((name) => texts[name] !== undefined)
  );
}

function refuseContradictions(given: Arguments): void {
  const { texts, switches } = given;
  if (switches.has("plaintext") && hasTlsFlag(given)) {
    throw new UsageError("-plaintext and a TLS flag contradict each other");
  }
  if (switches.has("insecure") && texts["cacert"] !== undefined) {
    throw new UsageError("-insecure and -cacert contradict each other");
  }
  if ((texts["cert"] === undefined) !== (texts["key"] === undefined)) {
    throw new UsageError("-cert and -key go together");
  }
}

/** `KEY: VALUE` as metadata. */
export function headerEntry(text: string): MetadataEntry {
  const [, key, value] = /^([A-Za-z0-9_.-]+):\s*([\x20-\x7e]*)$/.exec(text) ?? [];
  if (key === undefined || value === undefined)
    throw new UsageError(
      "-H takes 'KEY: VALUE', with quotes around both; what was given is not shown",
    );
  return { key: key.toLowerCase(), value: { kind: "literal", value } };
}
