import type { Target } from "../../src/model/target.ts";
import type { NameResolver } from "../../src/net/resolve.ts";

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
export function aResolver(names: Readonly<Record<string, readonly string[]>> = {}): NameResolver {
  return {
    resolve: ({ name }) => {
      const addresses = names[name];
      const found =
        addresses === undefined
          ? ({ outcome: "failed", cause: "nxdomain" } as const)
          : ({ outcome: "answered", via: "hosts", addresses } as const);
      return Promise.resolve({ triedNames: [name], durationMs: 0, ...found });
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
