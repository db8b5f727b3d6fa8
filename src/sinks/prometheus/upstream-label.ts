import { hostPort, type Target } from "../../model/target.ts";
import type { Plan } from "./family.ts";

/** The label of every channel whose upstream nobody configured. */
export const OTHER = "other";

/**
 * The name of the configured upstream that a channel's target text means, else `other`: what an app
 * dials is an unbounded set, and may be somebody's secret.
 */
export function upstreamLabel(text: string, { settings, upstreamOf }: Plan): string {
  const name = upstreamOf(text);
  const upstream = settings.targets.find(({ role, endpoint }) => {
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
