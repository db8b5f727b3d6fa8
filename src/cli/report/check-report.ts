import { counted } from "../../model/counted.ts";
import { LAYERS } from "../../model/detector-record.ts";
import { waitAfterLook } from "../../model/pending-wait.ts";
import { rfc3339 } from "../../model/time.ts";
import { blindText } from "./blind-text.ts";
import { doubtsOf } from "./doubts.ts";
import { examinedText } from "./examined-text.ts";
import { findingsText, pendingText, suppressedText } from "./findings-text.ts";
import { columns, hanging, indent } from "./lines.ts";
import type { Paint } from "./paint.ts";
import { type Examination, type Standing, standingsOf } from "./standing.ts";

/**
 * A doctor's report: examined, well, found, suspected, cannot see. Each code that is switched on
 * stands in one place; what cannot occur here is named last.
 */
export function checkReport(examination: Examination, paint: Paint): string {
  const { report } = examination;
  const standings = standingsOf(examination);
  const unjudged = standings.flatMap((standing) => standing.unjudged);
  const sections: readonly (readonly [string, readonly string[]])[] = [
    [`Examined ${lookText(examination)}`, standings.flatMap((one) => examinedText(one, paint))],
    ["Well", wellText(standings, paint)],
    ["Found", findingsText(report.active, paint)],
    ["Explained by what was found", suppressedText(report, paint)],
    ["Suspected", pendingText(report, paint, waitAfterLook)],
    ["Cannot see", blindText({ ...report, unjudged }, paint)],
    ["Does not apply", foreignText(standings, paint)],
  ];
  const shown = sections.filter(([, lines]) => lines.length > 0);
  const body = shown.flatMap(([title, lines]) => [paint.bold(title), ...indent(lines, "  "), ""]);
  return `${[...body, ...verdict(examination, paint)].join("\n")}\n`;
}

function lookText({ lookedMs, snapshot }: Examination): string {
  const when = rfc3339(snapshot.takenAt + (snapshot.wallAheadMs ?? 0));
  return lookedMs === undefined
    ? `a snapshot of ${when}`
    : `for ${Math.round(lookedMs / 1000)} s, until ${when}`;
}

/** What was looked for and is not there, a line for each layer. */
function wellText(standings: readonly Standing[], paint: Paint): readonly string[] {
  return standings.flatMap(({ target, well }) => {
    const isAlone = standings.length === 1;
    const rows = LAYERS.flatMap((layer) => {
      const codes = well.filter((one) => one.layer === layer).map(({ code }) => code);
      return codes.length === 0 ? [] : [[`✔ ${layer}`, `no ${codes.join(", ")}`] as const];
    });
    const lines = columns(rows, paint.width - (isAlone ? 2 : 4));
    const painted = lines.map((line) => line.replace("✔", paint.green("✔")));
    if (isAlone || rows.length === 0) return painted;
    return [target.name, ...indent(painted, "  ")];
  });
}

/** Codes that have nothing to be about: no name to look up, no TLS to judge. */
function foreignText(standings: readonly Standing[], paint: Paint): readonly string[] {
  return standings.flatMap(({ target, foreign }) => {
    const reasons = [...new Set(foreign.map(({ because }) => because))];
    return reasons.flatMap((reason) => {
      const codes = foreign.filter(({ because }) => because === reason).map(({ code }) => code);
      return hanging(`${target.name}: ${reason}: ${codes.join(", ")}`, paint.width - 2);
    });
  });
}

function verdict(examination: Examination, paint: Paint): readonly string[] {
  const { active } = examination.report;
  const codes = [...new Set(active.map(({ code }) => code))].join(", ");
  const worst = active.some(({ severity }) => severity === "critical") ? paint.red : paint.yellow;
  const found =
    active.length === 0
      ? []
      : hanging(`${counted(active.length, "finding")}: ${codes}.`, paint.width).map(worst);
  const doubts = doubtsOf(examination).map(({ text }) => text);
  if (doubts.length > 0) {
    const lead = active.length === 0 ? "Nothing found for certain" : "Besides";
    return [...found, ...hanging(`${lead}: ${doubts.join("; ")}.`, paint.width).map(paint.yellow)];
  }
  return active.length === 0 ? [paint.green("Nothing found.")] : found;
}
