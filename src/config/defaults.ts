import type { DetectorRecord } from "../model/detector-record.ts";
import type { CodeSettings, Settings } from "../model/settings.ts";
import { AGENT_TARGET, type Target } from "../model/target.ts";
import { type Parsed, parseAddress } from "./address.ts";
import { DEFAULT_RATIO, tracingFrom } from "./tracing.ts";
import type { Environment } from "./variables.ts";

/** What an option is when the file does not say it, as the file would write it. */
export const DEFAULTS = {
  listen: ":19464",
  admin: "127.0.0.1:19465",
  log: { level: "info", format: "json" },
  tracing: { ratio: DEFAULT_RATIO },
  target: { role: "app", services: [""], expect: "SERVING", channelzEvery: "10s", startup: "10m" },
  probe: {
    every: "30s",
    /** The longest deadline that is taken by itself; half the interval where that is shorter. */
    deadline: "1s",
    connection: "kept",
    compression: "identity",
    status: "OK",
  },
} as const;

/** How the app's channelz is read; that of an upstream is not. */
export const DEFAULT_CHANNELZ = { everyMs: 10_000 };

/** A finding that comes and goes between two scrapes would be seen by nobody. */
export const LEAST_CLEAR_AFTER_MS = 60_000;

/** What holds for a code when nothing is configured. */
export function defaultCodeSettings(record: DetectorRecord): CodeSettings {
  const limits = Object.entries(record.limits).map(([name, limit]) => [name, limit.default]);
  return {
    enabled: record.onByDefault ?? true,
    holdMs: record.holdMs,
    clearAfterMs: Math.max(LEAST_CLEAR_AFTER_MS, record.clearAfterMs),
    limits: Object.fromEntries(limits),
  };
}

export interface DefaultOptions {
  /** Absent: nothing is watched, as in a pod whose first configuration is bad. */
  readonly address?: string;
  readonly detectors: readonly DetectorRecord[];
  /** Text on a terminal, JSON elsewhere. */
  readonly logFormat?: "json" | "text";
  /** For the OTEL_* variables; absent: no spans. */
  readonly environment?: Environment;
}

/**
 * The configuration of `run --target ADDR`: one target called `app`, no expectation stated, so
 * nobody is accused of a setting that nobody told us.
 */
export function defaultSettings(options: DefaultOptions): Parsed<Settings> {
  const { address, detectors, logFormat = DEFAULTS.log.format, environment = {} } = options;
  const endpoint = address === undefined ? undefined : parseAddress(address);
  if (endpoint !== undefined && "allowed" in endpoint) return endpoint;
  const target: Target | undefined = endpoint && {
    name: "app",
    role: DEFAULTS.target.role,
    address: address ?? "",
    endpoint: endpoint.value,
    metadata: [],
    health: { services: DEFAULTS.target.services, expect: DEFAULTS.target.expect },
    channelz: DEFAULT_CHANNELZ,
    startupMs: 600_000,
  };
  const codes = Object.fromEntries(detectors.map((one) => [one.code, defaultCodeSettings(one)]));
  const targets = target === undefined ? [] : [target];
  const tracing = tracingFrom(undefined, environment);
  return {
    value: {
      listen: { port: 19_464 },
      admin: { host: "127.0.0.1", port: 19_465 },
      log: { level: DEFAULTS.log.level, format: logFormat },
      ...(tracing === undefined ? {} : { tracing }),
      targets,
      probes: [],
      findings: Object.fromEntries(
        [...targets.map(({ name }) => name), AGENT_TARGET].map((name) => [name, codes]),
      ),
      ignore: [],
    },
  };
}
