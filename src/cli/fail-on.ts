import { SEVERITIES, type Severity, severityRank } from "../model/finding.ts";
import { EXIT, UsageError } from "./exit.ts";

/** `--fail-on`: the lowest severity that makes the exit code 1, or `never`. */
export type FailOn = Severity | "never";

export function parseFailOn(text: string | undefined): FailOn {
  const words = [...SEVERITIES, "never"] as const;
  const found = words.find((word) => word === (text ?? "critical"));
  if (found === undefined) throw new UsageError(`--fail-on takes ${words.join(", ")}, not ${text}`);
  return found;
}

export function exitFor(
  findings: readonly { readonly severity: Severity }[],
  failOn: FailOn,
): number {
  if (failOn === "never") return EXIT.fine;
  const isFailing = findings.some(({ severity }) => severityRank(severity) >= severityRank(failOn));
  return isFailing ? EXIT.found : EXIT.fine;
}

/** `-o`: text or json. */
export function parseOutput(text: string | undefined): "text" | "json" {
  if (text === undefined || text === "text") return "text";
  if (text === "json") return "json";
  throw new UsageError(`--output takes text or json, not ${text}`);
}
