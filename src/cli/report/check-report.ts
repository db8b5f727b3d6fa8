import { counted } from "../../model/counted.ts";
import { type DetectorRecord, LAYERS } from "../../model/detector-record.ts";
import type { FindingsReport } from "../../model/finding.ts";
import type { Settings } from "../../model/settings.ts";
import { knownValue, type Snapshot } from "../../model/snapshot.ts";
import { AGENT_TARGET } from "../../model/target.ts";
import { rfc3339 } from "../../model/time.ts";
import { wrap } from "../../model/wrap.ts";
import { examinedText } from "./examined-text.ts";
import { blindText, findingsText, pendingText, suppressedText } from "./findings-text.ts";
import { columns, indent } from "./lines.ts";
import type { Paint } from "./paint.ts";

/** All that one look yielded. */
export interface Examination {
  readonly report: FindingsReport;
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  readonly detectors: readonly DetectorRecord[];
  /** How long was looked; absent for a saved snapshot. */
  readonly lookedMs?: number;
}

/** A doctor's report: examined, well, found, suspected, cannot see. */
export function checkReport(examination: Examination, paint: Paint): string {
  const { report, snapshot, settings } = examination;
  const examined = settings.targets.flatMap((target) => {
    const seen = snapshot.targets[target.name];
    return seen === undefined ? [] : examinedText(target, seen);
  });
  const sections: readonly (readonly [string, readonly string[]])[] = [
    [`Examined ${lookText(examination)}`, examined],
    ["Well", wellText(examination, paint)],
    ["Found", findingsText(report.active, paint)],
    ["Explained by what was found", suppressedText(report)],
    ["Suspected", pendingText(report)],
    ["Cannot see", [...blindText(aboutTargets(report), paint), ...slowCodes(examination, paint)]],
  ];
  const shown = sections.filter(([, lines]) => lines.length > 0);
  const body = shown.flatMap(([title, lines]) => [paint.bold(title), ...indent(lines, "  "), ""]);
  return `${[...body, verdict(examination, paint)].join("\n")}\n`;
}

/** The one who looks is no patient: what it cannot judge of itself is nobody's concern here. */
function aboutTargets(report: FindingsReport): FindingsReport {
  const unjudged = report.unjudged.filter(({ target }) => target !== AGENT_TARGET);
  return { ...report, unjudged };
}

function lookText({ lookedMs, snapshot }: Examination): string {
  const when = rfc3339(snapshot.takenAt);
  return lookedMs === undefined
    ? `a snapshot of ${when}`
    : `for ${Math.round(lookedMs / 1000)} s, until ${when}`;
}

/** What was looked for and is not there, by layer; nothing of a layer in which something is wrong. */
function wellText({ report, detectors, settings }: Examination, paint: Paint): readonly string[] {
  const present = [...report.active, ...report.pending, ...report.suppressed];
  const spoken = [...present, ...report.unjudged];
  const isWell = (code: string) =>
    settings.targets.some(
      ({ name }) =>
        settings.findings[name]?.[code]?.enabled === true &&
        !spoken.some((one) => one.code === code && one.target === name),
    );
  const rows = LAYERS.filter((layer) => layer !== "agent").flatMap((layer) => {
    const codes = detectors.filter((one) => one.layer === layer).map(({ code }) => code);
    const well = codes.filter(isWell);
    const isSick = present.some(({ code }) => codes.includes(code));
    return well.length === 0 || isSick ? [] : [[`✔ ${layer}`, `no ${well.join(", ")}`] as const];
  });
  return columns(rows, WIDTH).map((line) => line.replace("✔", paint.green("✔")));
}

/** Codes whose hold is longer than the look: a look this short could not have shown them. */
function slowCodes(
  { detectors, settings, lookedMs, report }: Examination,
  paint: Paint,
): readonly string[] {
  if (lookedMs === undefined) return [];
  const unjudged = new Set(report.unjudged.map(({ code }) => code));
  const slow = detectors.filter(
    ({ code }) =>
      !unjudged.has(code) &&
      settings.targets.some(({ name }) => {
        const own = settings.findings[name]?.[code];
        return own?.enabled === true && own.holdMs > lookedMs;
      }),
  );
  if (slow.length === 0) return [];
  const names = slow.map(({ code }) => code).join(", ");
  return [
    "to be seen in a longer look only (--for)",
    ...indent(wrap(names, WIDTH), "  ").map(paint.dim),
  ];
}

const WIDTH = 94;

function verdict(examination: Examination, paint: Paint): string {
  const { active } = examination.report;
  if (active.length === 0) return nothingFound(examination, paint);
  const worst = active.some(({ severity }) => severity === "critical") ? paint.red : paint.yellow;
  return worst(
    `${counted(active.length, "finding")}: ${active.map(({ code }) => code).join(", ")}.`,
  );
}

/** No finding is good news only where the target was seen, and was seen to be well. */
function nothingFound({ report, snapshot, settings }: Examination, paint: Paint): string {
  const doubts = settings.targets.flatMap(({ name }) => {
    const seen = snapshot.targets[name];
    const xray = seen === undefined ? undefined : knownValue(seen, "xray");
    if (xray === undefined) return [`${name} was not seen yet (look longer with --for)`];
    const { outcome, phase = "some phase", reason = "other" } = xray.latest;
    return outcome === "failed" ? [`the preflight of ${name} failed in ${phase}: ${reason}`] : [];
  });
  const suspected = new Set(report.pending.map(({ code }) => code));
  if (suspected.size > 0) doubts.push(`suspected: ${[...suspected].join(", ")}`);
  if (doubts.length === 0) return paint.green("Nothing found.");
  return paint.yellow(`Nothing found for certain; ${doubts.join("; ")}.`);
}
