import type { MetadataEntry, Target, TlsExpectation } from "../model/target.ts";
import { DEFAULT_CHANNELZ } from "./defaults.ts";
import type { ConfigValues } from "./schema/config.ts";

type TargetValues = ConfigValues["targets"][number];
type ResolvePath = (path: string) => string;

/** One entry of `targets:` as the model's target. */
export function targetFrom(values: TargetValues, resolvePath: ResolvePath): Target {
  const { name, role, authority, metrics, protoset, health } = values;
  const tls = tlsFrom(values.tls, resolvePath);
  const channelz = channelzFrom(values);
  return {
    name,
    role,
    address: values.address.address,
    endpoint: values.address.endpoint,
    ...(authority === undefined ? {} : { authority }),
    ...(tls === undefined ? {} : { tls }),
    metadata: metadataFrom(values.metadata, resolvePath),
    health,
    ...(channelz === undefined ? {} : { channelz }),
    ...(metrics === undefined ? {} : { metrics }),
    ...(protoset === undefined ? {} : { protoset: resolvePath(protoset) }),
    startupMs: values.startup,
  };
}

/** An upstream is read only where that is asked for: each of its clients' agents would list all of them. */
function channelzFrom({ channelz, role }: TargetValues): Target["channelz"] {
  if (typeof channelz === "object") return { everyMs: channelz.every };
  return channelz === undefined && role === "app" ? DEFAULT_CHANNELZ : undefined;
}

export function metadataFrom(
  values: TargetValues["metadata"],
  resolvePath: ResolvePath,
): readonly MetadataEntry[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value:
      typeof value === "string"
        ? { kind: "literal", value }
        : { kind: "file", path: resolvePath(value.file), prefix: value.prefix },
  }));
}

function tlsFrom(
  values: TargetValues["tls"],
  resolvePath: ResolvePath,
): TlsExpectation | undefined {
  if (values === undefined) return undefined;
  if (values === "off" || values === false) return { mode: "plaintext" };
  if (values === "on" || values === true) return { mode: "tls" };
  const { ca, cert, key, servedFrom } = values;
  return {
    mode: "tls",
    ...(ca === undefined ? {} : { ca: resolvePath(ca) }),
    ...(cert === undefined ? {} : { cert: resolvePath(cert) }),
    ...(key === undefined ? {} : { key: resolvePath(key) }),
    ...(servedFrom === undefined ? {} : { servedFrom: resolvePath(servedFrom) }),
  };
}
