import { hostPort, type Target } from "../../model/target.ts";

/** The label of every channel whose upstream nobody configured. */
export const OTHER = "other";

/** What stands before the name in a target URI: `dns:///`, `dns://1.1.1.1/`, `xds:///`, `ipv4:`. */
const SCHEME = /^[a-z][\w+.-]*:(?:\/\/[^/]*\/)?(?=[^\d]|\d+\.|\[)/i;

/**
 * The name of the configured upstream that a channel's target text means, else `other`: what an app
 * dials is an unbounded set, and may be somebody's secret.
 */
export function upstreamLabel(text: string, targets: readonly Target[]): string {
  const name = text.replace(SCHEME, "").toLowerCase();
  const upstream = targets.find(({ role, endpoint }) => {
    if (role !== "upstream" || endpoint.kind === "unix") return false;
    return hostPort(endpoint.host, endpoint.port).toLowerCase() === name;
  });
  return upstream?.name ?? OTHER;
}

/** Every value that the label can have. */
export function upstreamLabels(targets: readonly Target[]): readonly string[] {
  const names = targets.filter(({ role }) => role === "upstream").map(({ name }) => name);
  return [...names, OTHER];
}
