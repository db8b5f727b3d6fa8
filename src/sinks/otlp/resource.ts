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
export function resourceAttributes(
  environment: Environment,
  version: string,
): { readonly attributes: Attributes; readonly warnings: readonly string[] } {
  const told = DOWNWARD.flatMap(([attribute, variable]) => {
    const value = environment[variable];
    return value === undefined || value === "" ? [] : [[attribute, value] as const];
  });
  const pod = environment["POD_NAME"];
  const instance = [environment["POD_NAMESPACE"], pod, AGENT_TARGET].filter((part) => part);
  const stated = environment["OTEL_SERVICE_NAME"];
  const listed = attributesIn(environment["OTEL_RESOURCE_ATTRIBUTES"] ?? "");
  const attributes = {
    [names.SERVICE_NAME]: AGENT_TARGET,
    [names.SERVICE_VERSION]: version,
    ...Object.fromEntries(told),
    ...(pod ? { [names.SERVICE_INSTANCE_ID]: instance.join(".") } : {}),
    ...listed,
    ...(stated ? { [names.SERVICE_NAME]: stated } : {}),
  };
  return { attributes, warnings: listed === undefined ? [MALFORMED] : [] };
}

const MALFORMED =
  "OTEL_RESOURCE_ATTRIBUTES is not used: allowed: key=value,key=value, percent-encoded";

/** `key=value,key=value`, percent-encoded; `undefined` where any of it is neither, as all goes then. */
function attributesIn(text: string): Attributes | undefined {
  const attributes: Record<string, string> = {};
  for (const entry of text.split(",").filter((one) => one.trim() !== "")) {
    const [, key, value] = /^\s*([^=\s]+)\s*=\s*(.*?)\s*$/.exec(entry) ?? [];
    if (key === undefined || value === undefined) return undefined;
    try {
      attributes[decodeURIComponent(key)] = decodeURIComponent(value);
    } catch {
      return undefined; // a stray percent sign
    }
  }
  return attributes;
}
