import { AGENT_TARGET } from "../../model/target.ts";
import * as names from "./semconv.ts";

export type Attributes = Readonly<Record<string, string | number | boolean>>;

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the downward API, as the manifests set them. */
const DOWNWARD: readonly (readonly [attribute: string, variable: string])[] = [
  [names.K8S_POD_NAME, "POD_NAME"],
  [names.K8S_POD_UID, "POD_UID"],
  [names.K8S_POD_IP, "POD_IP"],
  [names.K8S_NAMESPACE_NAME, "POD_NAMESPACE"],
  [names.K8S_NODE_NAME, "NODE_NAME"],
  [names.SERVICE_NAMESPACE, "POD_NAMESPACE"],
];

/**
 * Who makes the spans: the agent, never the app beside it. What the user states in OTEL_SERVICE_NAME
 * and OTEL_RESOURCE_ATTRIBUTES wins over what the downward API tells.
 *
 * Source: opentelemetry-specification resource/sdk.md, "Specifying resource information via an
 * environment variable".
 */
export function resourceAttributes(environment: Environment, version: string): Attributes {
  const told = DOWNWARD.flatMap(([attribute, variable]) => {
    const value = environment[variable];
    return value === undefined || value === "" ? [] : [[attribute, value] as const];
  });
  const pod = environment["POD_NAME"];
  const instance = [environment["POD_NAMESPACE"], pod, AGENT_TARGET].filter((part) => part);
  const stated = environment["OTEL_SERVICE_NAME"];
  return {
    [names.SERVICE_NAME]: AGENT_TARGET,
    [names.SERVICE_VERSION]: version,
    ...Object.fromEntries(told),
    ...(pod ? { [names.SERVICE_INSTANCE_ID]: instance.join(".") } : {}),
    ...listed(environment["OTEL_RESOURCE_ATTRIBUTES"] ?? ""),
    ...(stated ? { [names.SERVICE_NAME]: stated } : {}),
  };
}

/** `key=value,key=value`, percent-encoded; an entry that is neither is left out. */
function listed(text: string): Attributes {
  const entries = text.split(",").flatMap((entry) => {
    const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(entry) ?? [];
    if (key === undefined || value === undefined) return [];
    try {
      return [[decodeURIComponent(key), decodeURIComponent(value)] as const];
    } catch {
      return []; // a stray percent sign: the specification asks to go on without it
    }
  });
  return Object.fromEntries(entries);
}
