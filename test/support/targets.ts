import type { AddressResolver } from "../../src/grpc/reach.ts";
import type { Target } from "../../src/model/target.ts";

/** A target that dials this address (`ip:port` or `unix:path`); nothing else is stated. */
export function aTarget(address: string, stated: Partial<Target> = {}): Target {
  return {
    name: "app",
    role: "app",
    address,
    endpoint: endpointOf(address),
    metadata: [],
    health: { services: [""], expect: "SERVING" },
    startupMs: 600_000,
    ...stated,
  };
}

/** A resolver that knows these names; any other does not exist. */
export function aResolver(
  names: Readonly<Record<string, readonly string[]>> = {},
): AddressResolver {
  return {
    resolve: ({ name }) => {
      const addresses = names[name];
      return Promise.resolve(
        addresses === undefined
          ? { outcome: "failed", cause: "nxdomain" }
          : { outcome: "answered", addresses },
      );
    },
  };
}

function endpointOf(address: string): Target["endpoint"] {
  if (address.startsWith("unix:")) return { kind: "unix", path: address.slice("unix:".length) };
  const at = address.lastIndexOf(":");
  const host = address.slice(0, at).replace(/^\[(.*)\]$/, "$1");
  const kind = /^[\d.]+$|:/.test(host) ? "ip" : "name";
  return { kind, host, port: Number(address.slice(at + 1)) };
}
