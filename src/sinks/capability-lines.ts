import type { CapabilityObservation, Observation } from "../model/observation.ts";
import type { LogLevel, LogLine } from "./log-line.ts";

/** More capabilities than these no configuration has. */
const MOST_KNOWN = 1000;

/**
 * Lines for what a source can and cannot see. What cannot be seen is asked for again each hour and
 * after each restart: it is a line once, and when it changes. What is there from the start is no news.
 */
export function watchCapabilities(): (observation: Observation) => LogLine | undefined {
  const latest = new Map<string, string>();

  return (observation) => {
    if (observation.kind !== "capability") return undefined;
    const { target, source, part = "", available, reason = "" } = observation;
    const key = `${target}/${source}/${part}`;
    const [before, now] = [latest.get(key), available ? "available" : reason];
    if (before === now) return undefined;

    latest.set(key, now);
    const [oldest] = latest.keys();
    if (latest.size > MOST_KNOWN && oldest !== undefined) latest.delete(oldest);
    return lineOf(observation, before === undefined);
  };
}

function lineOf(observation: CapabilityObservation, isFirst: boolean): LogLine {
  const { target, source, part, available, reason, fix, at } = observation;
  const what = part === undefined ? source : `${source} (${part})`;
  const verdict = available ? "can be seen" : `cannot be seen: ${reason ?? "unknown"}`;
  return {
    level: levelOf(observation, isFirst),
    at,
    event: "grpc_doctor.capability.changed",
    msg: `${what} of ${target} ${verdict}`,
    fields: {
      target,
      source,
      available,
      ...(part === undefined ? {} : { part }),
      ...(reason === undefined ? {} : { reason }),
      ...(fix === undefined ? {} : { fix }),
    },
  };
}

/** A probe is asked for by name: one that cannot run is a mistake of the file, or of the server. */
function levelOf(observation: CapabilityObservation, isFirst: boolean): LogLevel {
  if (!isNews(observation, isFirst)) return "debug";
  return observation.source === "probe" && !observation.available ? "warn" : "info";
}

/** Without Watch, List or reflection a server's health is seen all the same, only less well. */
function isNews({ source, part, available }: CapabilityObservation, isFirst: boolean): boolean {
  if (source === "health" && part !== undefined) return false;
  return !(available && isFirst);
}
