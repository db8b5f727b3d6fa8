import type { TracingSettings } from "../model/settings.ts";
import type { Environment } from "./variables.ts";

/** The share of the runs, where neither the file nor a sampler says. */
export const DEFAULT_RATIO = 0.1;

/** `tracing:` of the file, where it is no `off`. */
export interface TracingValues {
  readonly endpoint?: string | undefined;
  readonly ratio?: number | undefined;
}

/** What the variables ask for that the agent cannot do, or nobody could. */
interface Reading {
  readonly warnings: readonly string[];
}

const FINE: Reading = { warnings: [] };

/**
 * What the file and the OTEL_* variables say of spans together; `undefined`: none are sent.
 *
 * Off unless the file or an endpoint variable asks for them; OTEL_SDK_DISABLED and
 * OTEL_TRACES_EXPORTER switch them off whatever the file says, since who runs a cluster may say no to
 * everybody. The endpoint and the ratio of the file win over the variables'. A value that is none is
 * warned of and taken as not set.
 *
 * Source: opentelemetry-specification configuration/sdk-environment-variables.md, protocol/exporter.md.
 */
export function tracingFrom(
  values: TracingValues | "off" | false | undefined,
  environment: Environment,
): TracingSettings | undefined {
  if (values === "off" || values === false || isSilenced(environment)) return undefined;
  if (values === undefined && !hasEndpoint(environment)) return undefined;
  const { endpoint, ratio = samplerOf(environment).ratio ?? DEFAULT_RATIO } = values ?? {};
  return ratio === "off" ? undefined : towards(endpoint, ratio, environment);
}

/** An endpoint of the file is spoken to by gRPC; one of the variables, where they mean gRPC. */
function towards(
  endpoint: string | undefined,
  ratio: number,
  environment: Environment,
): TracingSettings | undefined {
  if (endpoint !== undefined) return { ratio, endpoint };
  return protocolOf(environment).isGrpc ? { ratio } : undefined;
}

/** What the log should say of the variables, where somebody wants spans. */
export function tracingWarnings(
  environment: Environment,
  tracing: TracingSettings | undefined,
): readonly string[] {
  if (isDisabled(environment)) return [];
  if (tracing === undefined && !hasEndpoint(environment)) return [];
  const needsProtocol = tracing?.endpoint === undefined;
  return [
    ...samplerOf(environment).warnings,
    ...exporterOf(environment).warnings,
    ...(needsProtocol ? protocolOf(environment).warnings : []),
  ];
}

/** Whoever runs the cluster wants no spans of anybody. */
function isSilenced(environment: Environment): boolean {
  return isDisabled(environment) || !exporterOf(environment).isOtlp;
}

function isDisabled(environment: Environment): boolean {
  return textOf(environment, "OTEL_SDK_DISABLED")?.toLowerCase() === "true";
}

/** The sampler of a root, as every probe run is: what a parent decided never counts. */
function samplerOf(environment: Environment): Reading & { readonly ratio?: number | "off" } {
  const name = textOf(environment, "OTEL_TRACES_SAMPLER");
  switch (name) {
    case undefined:
      return FINE;
    case "always_on":
    case "parentbased_always_on":
      return { ...FINE, ratio: 1 };
    case "always_off":
    case "parentbased_always_off":
      return { ...FINE, ratio: "off" };
    case "traceidratio":
    case "parentbased_traceidratio":
      return ratioOf(environment);
    default:
      return {
        warnings: [
          `OTEL_TRACES_SAMPLER: found ${name}, allowed: always_on, always_off, traceidratio, each also with parentbased_; a share of ${DEFAULT_RATIO} is sent`,
        ],
      };
  }
}

function ratioOf(environment: Environment): Reading & { readonly ratio: number } {
  const text = textOf(environment, "OTEL_TRACES_SAMPLER_ARG");
  const ratio = Number(text ?? 1);
  if (ratio >= 0 && ratio <= 1) return { ...FINE, ratio };
  const warning = `OTEL_TRACES_SAMPLER_ARG: found ${text}, allowed: a number from 0 to 1; every run is sent`;
  return { ratio: 1, warnings: [warning] };
}

function exporterOf(environment: Environment): Reading & { readonly isOtlp: boolean } {
  const text = textOf(environment, "OTEL_TRACES_EXPORTER") ?? "otlp";
  const names = text.split(",").map((name) => name.trim());
  const isOtlp = names.includes("otlp");
  if (isOtlp || names.includes("none")) return { ...FINE, isOtlp };
  const warning = `OTEL_TRACES_EXPORTER: found ${text}, allowed: otlp, none; no spans are sent`;
  return { isOtlp, warnings: [warning] };
}

function protocolOf(environment: Environment): Reading & { readonly isGrpc: boolean } {
  const names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
  const name = names.find((one) => textOf(environment, one) !== undefined);
  const found = name === undefined ? "grpc" : textOf(environment, name);
  if (found === "grpc") return { ...FINE, isGrpc: true };
  const warning = `${name}: found ${found}, allowed: grpc; no spans are sent, but to a \`tracing.endpoint\` of the file`;
  return { isGrpc: false, warnings: [warning] };
}

function hasEndpoint(environment: Environment): boolean {
  const names = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
  return names.some((name) => textOf(environment, name) !== undefined);
}

/** An empty variable is one that is not set. */
function textOf(environment: Environment, name: string): string | undefined {
  const text = environment[name]?.trim();
  return text === "" ? undefined : text;
}
