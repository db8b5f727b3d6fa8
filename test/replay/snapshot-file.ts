import { readFileSync } from "node:fs";
import { judgeFile } from "../../src/cli/judge-file.ts";
import { defaultCodeSettings } from "../../src/config/defaults.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import type { Finding } from "../../src/model/finding.ts";

const FOLDER = new URL("../snapshots/", import.meta.url);

export function snapshotFile(name: string): URL {
  return new URL(`${name}.json`, FOLDER);
}

/** What `check --from` says of a snapshot: every active finding, and what one instant can only suspect. */
export interface Judged {
  /** `severity code target`, and what it explains. */
  readonly active: readonly string[];
  /** `code target`: what lasts longer than one instant, and what waits for its cause. */
  readonly suspected: readonly string[];
}

export function judged(text: string): Judged {
  const { report } = judgeFile(text, DETECTORS, () => 0);
  const told = ({ severity, code, target, consequences }: Finding) =>
    [`${severity} ${code} ${target}`, ...consequences].join(" ⊃ ");
  return {
    active: report.active.map(told).toSorted(),
    suspected: report.pending.map(({ code, target }) => `${code} ${target}`).toSorted(),
  };
}

export function judgedFile(name: string): Judged {
  return judged(readFileSync(snapshotFile(name), "utf8"));
}

/**
 * A snapshot for strangers: what is particular to the machine is replaced (folders of the files that were
 * made for it, addresses that are neither loopback's nor documentation's), and settings of codes that
 * are the default, which `check --from` fills in, are left out.
 */
export function neutral(text: string): string {
  const file = JSON.parse(text) as {
    settings: { findings: Record<string, Record<string, unknown>> };
  };
  const usual = new Map(
    DETECTORS.map((one) => [one.code, JSON.stringify(defaultCodeSettings(one))]),
  );
  for (const codes of Object.values(file.settings.findings))
    for (const [code, settings] of Object.entries(codes))
      if (JSON.stringify(settings) === usual.get(code)) delete codes[code];
  const strangers = new Map<string, string>();
  const standIn = (address: string) => {
    if (/^(127|0|192\.0\.2)\./.test(address)) return address;
    strangers.set(address, strangers.get(address) ?? `192.0.2.${strangers.size + 1}`);
    return strangers.get(address) ?? "";
  };
  return `${JSON.stringify(file)
    .replaceAll(/\/(?:tmp|root|home)\/[^"/]*\//g, "/files/")
    .replaceAll(/\b\d{1,3}(?:\.\d{1,3}){3}\b/g, standIn)}\n`;
}
