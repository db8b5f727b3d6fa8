import type { Format } from "./exposition.ts";

/** One range of an Accept header with its weight. Source: RFC 9110 section 12.5.1. */
interface Range {
  readonly type: string;
  readonly version?: string;
  readonly weight: number;
}

/** A scraper's header has a handful of ranges; a longer one is not read to its end. */
const LONGEST_HEADER = 1000;

const OPENMETRICS = "application/openmetrics-text";
/** What we write is 1.0.0; a reader of 0.0.1 reads it, and so does one that names no version. */
const OPENMETRICS_VERSIONS = new Set([undefined, "1.0.0", "0.0.1"]);

/**
 * The format for an Accept header: OpenMetrics where it is asked for by name and weighs no less than
 * text, else text, whatever was asked. A scraper is never refused (no 406).
 */
export function negotiate(accept: string | undefined): Format {
  const ranges = (accept ?? "").slice(0, LONGEST_HEADER).split(",").map(rangeOf);
  const openmetrics = weightOf(
    ranges.filter(({ type, version }) => type === OPENMETRICS && OPENMETRICS_VERSIONS.has(version)),
  );
  const text = weightOf(
    ranges.filter(({ type, version }) => type === "text/plain" && version !== "1.0.0"),
  );
  return openmetrics > 0 && openmetrics >= text ? "openmetrics" : "text";
}

function rangeOf(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim().toLowerCase());
  const named = new Map(parameters.map((parameter) => pairOf(parameter)));
  const version = named.get("version");
  const weight = Number(named.get("q") ?? 1);
  return {
    type,
    ...(version === undefined ? {} : { version }),
    weight: weight >= 0 && weight <= 1 ? weight : 0,
  };
}

function pairOf(parameter: string): readonly [string, string] {
  const [name = "", value = ""] = parameter.split("=").map((part) => part.trim());
  return [name, value.replaceAll('"', "")];
}

function weightOf(ranges: readonly Range[]): number {
  return Math.max(0, ...ranges.map(({ weight }) => weight));
}
