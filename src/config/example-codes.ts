import type { DetectorRecord } from "../model/detector-record.ts";
import { defaultCodeSettings } from "./defaults.ts";
import { limitText } from "./limit-text.ts";
import { formatDuration } from "./units.ts";

/**
 * The `findings:` section of config.example.yaml: every code with every setting at its default. A
 * line whose `#` touches its key is an option that is not set; a code that is off by default stays
 * off, as a mapping would switch it on.
 */
export function exampleCodes(detectors: readonly DetectorRecord[]): string {
  return `${["findings:", ...detectors.flatMap(exampleCode)].join("\n")}\n`;
}

function exampleCode(record: DetectorRecord): readonly string[] {
  const { enabled, holdMs, clearAfterMs } = defaultCodeSettings(record);
  const settings = [
    `hold: ${formatDuration(holdMs)}`,
    `clearAfter: ${formatDuration(clearAfterMs)}`,
    ...Object.entries(record.limits).map(
      ([name, limit]) => `${name}: ${limitText(limit, limit.default)}  # ${limit.says}`,
    ),
  ];
  const title = `  # ${record.title}.`;
  if (!enabled) return [title, `  ${record.code}: off`, ...settings.map((line) => `  # ${line}`)];
  return [
    title,
    `  ${record.code}:`,
    `    #severity: ${record.severity}`,
    ...settings.map((line) => `    ${line}`),
  ];
}
