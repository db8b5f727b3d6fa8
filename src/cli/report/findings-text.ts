import type { Finding, FindingsReport, Unjudged } from "../../model/finding.ts";
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
  readonly pending: readonly (ShownFinding & { readonly activeInSeconds: number })[];
  readonly suppressed: readonly (ShownFinding & { readonly because: string })[];
  readonly unjudged: readonly Unjudged[];
  readonly capabilities: readonly Omit<FindingsReport["capabilities"][number], "since">[];
}

const WIDTH = 92;

/** One finding: what, where, the numbers that convict, what to do. */
function findingText(finding: ShownFinding, paint: Paint): readonly string[] {
  const { code, severity, target, subject, summary, evidence, remedy, consequences, changed } =
    finding;
  const sign = SIGNS[severity];
  const colour =
    severity === "critical" ? paint.red : severity === "warning" ? paint.yellow : paint.cyan;
  const about = Object.values(subject).join(", ");
  const drill = finding.isDrill === true ? " · DRILL, not a real fault" : "";
  const facts = columns(
    [
      ...Object.entries(evidence).map(([key, value]) => [key, valueText(value)] as const),
      ...changed.map(({ what, from, to }) => [`changed ${what}`, `${from} → ${to}`] as const),
    ],
    WIDTH,
  );
  return [
    `${colour(`${sign} ${severity}`)}  ${paint.bold(code)}  ${target}${about === "" ? "" : ` · ${about}`}${drill}`,
    ...indent(wrap(summary, WIDTH), "  "),
    ...indent(facts.map(paint.dim), "    "),
    ...indent(wrap(`→ ${remedy}`, WIDTH), "  "),
    ...(consequences.length === 0 ? [] : [`  explains ${consequences.join(", ")}`]),
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

/** Present, and not yet for long enough to be told. */
export function pendingText(report: ShownReport): readonly string[] {
  return report.pending.flatMap(({ code, target, summary, activeInSeconds }) => {
    const wait = `active in ${Math.max(0, Math.round(activeInSeconds))} s if it stays`;
    return [`? ${code}  ${target} (${wait})`, ...indent(wrap(summary, WIDTH), "  ")];
  });
}

/** What another finding explains, or the user asked not to be told. */
export function suppressedText(report: ShownReport): readonly string[] {
  return report.suppressed.flatMap(({ code, target, summary, because }) =>
    hanging(`${code}  ${target}: ${summary} (because: ${because})`, WIDTH),
  );
}

/** What is missing, how to switch it on, and how many codes wait for it. */
export function blindText(
  { capabilities, unjudged }: ShownReport,
  paint: Paint,
): readonly string[] {
  const missing = capabilities.filter(({ available }) => !available);
  const lines = missing.flatMap(({ target, source, part, reason, fix }) => [
    ...hanging(
      `${source}${part === undefined ? "" : ` ${part}`}  ${target}: ${reason ?? "not available"}`,
      WIDTH,
    ),
    ...(fix === undefined ? [] : [paint.dim(`  → ${fix}`)]),
  ]);
  return [...lines, ...unjudgedText(unjudged, paint)];
}

/**
 * Codes that were not judged, gathered by the reason that they share, on all targets that share it. A
 * reason that is a lack of configuration says what to configure; the fix would say it again.
 */
function unjudgedText(unjudged: readonly Unjudged[], paint: Paint): readonly string[] {
  const ofTarget = gathered(unjudged, ({ target, because }) => `${target}: ${because}`);
  const blindSpots = gathered(ofTarget, (group) => `${group[0]?.because}: ${codesOf(group)}`);
  return blindSpots.flatMap((groups) => {
    const targets = groups.map(([one]) => one?.target).join(", ");
    const because = groups[0]?.[0]?.because ?? "";
    const fix = groups.flat().find((one) => one.fix !== undefined)?.fix;
    const isSaid = because.startsWith("not configured");
    return [
      ...hanging(`${targets}: ${because}`, WIDTH),
      ...indent(wrap(codesOf(groups[0] ?? []), WIDTH), "  ").map(paint.dim),
      ...(fix === undefined || isSaid ? [] : [paint.dim(`  → ${fix}`)]),
    ];
  });
}

function codesOf(group: readonly Unjudged[]): string {
  return group.map(({ code }) => code).join(", ");
}

/** Those of one key together, in the order in which the keys first came. */
function gathered<T>(all: readonly T[], keyOf: (one: T) => string): readonly (readonly T[])[] {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return [...groups.values()];
}
