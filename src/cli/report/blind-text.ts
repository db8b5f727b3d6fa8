import type { Unjudged } from "../../model/finding.ts";
import { wrap } from "../../model/wrap.ts";
import { whyText } from "./fault-text.ts";
import type { ShownReport } from "./findings-text.ts";
import { columns, hanging, indent } from "./lines.ts";
import type { Paint } from "./paint.ts";

type Missing = ShownReport["capabilities"][number];

/** As unjudged.ts says it of codes for which something must be configured. */
const NOT_CONFIGURED = "not configured: ";

/**
 * What is missing and how to switch it on, each with the codes that wait for it; then the codes that
 * cannot be judged for another reason; at last those that need to be told what is expected.
 */
export function blindText(
  { capabilities, unjudged }: Pick<ShownReport, "capabilities" | "unjudged">,
  paint: Paint,
): readonly string[] {
  const unavailable = capabilities.filter(({ available }) => !available);
  const missing = unavailable.filter((one) => !isOfMissingHealth(one, unavailable));
  const owners = missing.filter((one, index) => one.fix !== undefined && isFirst(missing, index));
  const waits = (one: Unjudged) => owners.some((owner) => isWaiting(one, owner));
  const rest = unjudged.filter((one) => !waits(one));
  const [unstated, others] = [rest.filter(isUnstated), rest.filter((one) => !isUnstated(one))];
  return [
    ...missing.flatMap((one) => {
      const waiting = owners.includes(one) ? unjudged.filter((code) => isWaiting(code, one)) : [];
      return missingText(one, waiting, paint);
    }),
    ...unjudgedText(others, paint),
    ...unstatedText(unstated, paint),
  ];
}

/** A server without health has neither Watch nor List: it is one thing that is missing. */
function isOfMissingHealth({ target, source, part }: Missing, all: readonly Missing[]): boolean {
  if (source !== "health" || (part !== "Watch" && part !== "List")) return false;
  return all.some(
    (one) => one.target === target && one.source === "health" && one.part === undefined,
  );
}

/** Of those that one fix mends, the first has the codes. */
function isFirst(missing: readonly Missing[], index: number): boolean {
  const { target, fix } = missing[index] ?? {};
  return missing.findIndex((one) => one.target === target && one.fix === fix) === index;
}

function isWaiting({ target, fix }: Unjudged, missing: Missing): boolean {
  return target === missing.target && fix === missing.fix;
}

function isUnstated({ because }: Unjudged): boolean {
  return because.startsWith(NOT_CONFIGURED);
}

function missingText(
  { target, source, part, reason, fix }: Missing,
  waiting: readonly Unjudged[],
  paint: Paint,
): readonly string[] {
  const isReflection = source === "health" && part === "reflection";
  const what = isReflection ? part : part === undefined ? source : `${source} (${part})`;
  return [
    ...hanging(`${target}: ${what}: ${whyText(reason ?? "not available")}`, widthOf(paint)),
    ...codesText(waiting, paint),
    ...fixText(fix, paint),
  ];
}

/** Codes gathered by the reason that they share, on all targets that share it. */
function unjudgedText(unjudged: readonly Unjudged[], paint: Paint): readonly string[] {
  const ofTarget = gathered(unjudged, ({ target, because }) => `${target}: ${because}`);
  const blindSpots = gathered(ofTarget, (group) => `${group[0]?.because}: ${codesOf(group)}`);
  return blindSpots.flatMap((groups) => {
    const because = groups[0]?.[0]?.because ?? "";
    return [
      ...hanging(`${targetsOf(groups.flat())}: ${whyText(because)}`, widthOf(paint)),
      ...codesText(groups[0] ?? [], paint),
      ...fixText(groups.flat().find((one) => one.fix !== undefined)?.fix, paint),
    ];
  });
}

/** A row for each thing to state. Targets that lack the same share one block. */
function unstatedText(unstated: readonly Unjudged[], paint: Paint): readonly string[] {
  const ofTarget = gathered(unstated, ({ target }) => target);
  const blocks = gathered(ofTarget, (group) =>
    group.map(({ code, because }) => `${code} ${because}`).join(),
  );
  return blocks.flatMap((groups) => {
    const lacks = gathered(groups[0] ?? [], ({ because }) => because);
    const rows = lacks.map((group) => {
      const what = group[0]?.because.slice(NOT_CONFIGURED.length) ?? "";
      return [codesOf(group), what] as const;
    });
    return [
      `${targetsOf(groups.flat())}: not told what is expected (a configuration file says it)`,
      ...indent(columns(rows, widthOf(paint) - 2), "  ").map(paint.dim),
    ];
  });
}

function codesText(group: readonly Unjudged[], paint: Paint): readonly string[] {
  if (group.length === 0) return [];
  return indent(wrap(codesOf(group), widthOf(paint) - 2), "  ").map(paint.dim);
}

function fixText(fix: string | undefined, paint: Paint): readonly string[] {
  if (fix === undefined) return [];
  return hanging(`  → ${fix}`, widthOf(paint)).map(paint.dim);
}

/** Sections are indented by two. */
function widthOf(paint: Paint): number {
  return paint.width - 2;
}

function codesOf(group: readonly Unjudged[]): string {
  return [...new Set(group.map(({ code }) => code))].join(", ");
}

function targetsOf(group: readonly Unjudged[]): string {
  return [...new Set(group.map(({ target }) => target))].join(", ");
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
