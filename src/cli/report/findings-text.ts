import type { Finding, FindingsReport, Pending, Unjudged } from "../../model/finding.ts";
import { silencedText } from "../../model/silenced-text.ts";
import { wrap } from "../../model/wrap.ts";
import { columns, hanging, indent, valueText } from "./lines.ts";
import type { Paint } from "./paint.ts";

/** The parts of a finding that a report shows: those of the model and of the document alike. */
export type ShownFinding = Pick<
  Finding,
  | "code"
  | "severity"
  | "target"
  | "subject"
  | "summary"
  | "evidence"
  | "remedy"
  | "consequences"
  | "isDrill"
> & { readonly changed: readonly Pick<Finding["changed"][number], "what" | "from" | "to">[] };

/** What can be shown of a report: the model's own, or the document of a running agent. */
export interface ShownReport {
  readonly active: readonly ShownFinding[];
  readonly pending: readonly (ShownFinding & Pending)[];
  readonly suppressed: readonly (ShownFinding & { readonly because: string })[];
  readonly unjudged: readonly Unjudged[];
  readonly capabilities: readonly Omit<FindingsReport["capabilities"][number], "since">[];
}

/** Sections are indented, and texts within a finding once more. */
const INDENTED = 4;

/** One finding: what, where, the numbers that convict, what to do. */
function findingText(finding: ShownFinding, paint: Paint): readonly string[] {
  const { code, severity, target, subject, summary, evidence, remedy, consequences, changed } =
    finding;
  const sign = SIGNS[severity];
  const colour =
    severity === "critical" ? paint.red : severity === "warning" ? paint.yellow : paint.cyan;
  const about = Object.values(subject).join(", ");
  const drill = finding.isDrill === true ? " · DRILL, not a real fault" : "";
  const width = paint.width - INDENTED;
  const facts = columns(
    [
      ...Object.entries(evidence).map(([key, value]) => [key, valueText(value)] as const),
      ...changed.map(({ what, from, to }) => [`changed ${what}`, `${from} → ${to}`] as const),
    ],
    width - INDENTED,
  );
  return [
    `${colour(`${sign} ${severity}`)}  ${paint.bold(code)}  ${target}${about === "" ? "" : ` · ${about}`}${drill}`,
    ...indent(wrap(summary, width), "  "),
    ...indent(facts.map(paint.dim), "    "),
    ...indent(wrap(`→ ${remedy}`, width), "  "),
    ...(consequences.length === 0
      ? []
      : indent(hanging(`explains ${consequences.join(", ")}`, width), "  ")),
    paint.dim(`  grpc-doctor explain ${code}`),
  ];
}

const SIGNS = { critical: "✖", warning: "▲", info: "•" } as const;

/** Every finding of a list, with an empty line between two. */
export function findingsText(findings: readonly ShownFinding[], paint: Paint): readonly string[] {
  return findings.flatMap((finding, index) => [
    ...(index === 0 ? [] : [""]),
    ...findingText(finding, paint),
  ]);
}

/** Present, and not yet for long enough to be told; `waitText` says how long that takes. */
export function pendingText(
  report: ShownReport,
  paint: Paint,
  waitText: (pending: Pending) => string,
): readonly string[] {
  return report.pending.flatMap((finding) => {
    const { code, severity, target, summary } = finding;
    return [
      `? ${severity}  ${code}  ${target} (${waitText(finding)})`,
      ...indent(wrap(summary, paint.width - INDENTED), "  "),
    ];
  });
}

/** What another finding explains, or the user asked not to be told. */
export function suppressedText(report: ShownReport, paint: Paint): readonly string[] {
  return report.suppressed.flatMap(({ code, target, summary, because }) =>
    hanging(`${code}  ${target}: ${summary} (${silencedText(because)})`, paint.width - INDENTED),
  );
}
