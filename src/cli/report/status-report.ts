import { counted } from "../../model/counted.ts";
import { pendingWait } from "../../model/pending-wait.ts";
import { blindText } from "./blind-text.ts";
import type { ShownReport } from "./findings-text.ts";
import { findingsText, pendingText, suppressedText } from "./findings-text.ts";
import { columns, indent } from "./lines.ts";
import type { Paint } from "./paint.ts";

/** The findings document of a running agent, as far as the report reads it. */
export interface StatusDocument extends ShownReport {
  readonly schema: string;
  readonly agent: string;
  readonly generatedAt: string;
  readonly targets: readonly {
    readonly name: string;
    readonly state: string;
    readonly epoch: number;
  }[];
  readonly recent: readonly (ShownReport["active"][number] & { readonly resolvedAt: string })[];
}

/** What a running agent sees now. */
export function statusReport(document: StatusDocument, paint: Paint): string {
  const targets = document.targets.map(
    ({ name, state, epoch }) => [name, `${state}, epoch ${epoch}`] as const,
  );
  const recent = document.recent.map(
    ({ code, target, resolvedAt }) => `${code}  ${target}, resolved ${resolvedAt}`,
  );
  const sections: readonly (readonly [string, readonly string[]])[] = [
    [`Watched at ${document.generatedAt} by grpc-doctor ${document.agent}`, columns(targets)],
    ["Active", findingsText(document.active, paint)],
    ["Suppressed", suppressedText(document, paint)],
    ["Pending", pendingText(document, paint, pendingWait)],
    ["Resolved", recent],
    ["Cannot see", blindText(document, paint)],
  ];
  const shown = sections.filter(([, lines]) => lines.length > 0);
  const count = document.active.length;
  const verdict =
    count === 0
      ? paint.green("Nothing is active.")
      : paint.red(`${counted(count, "finding")} active.`);
  return `${[...shown.flatMap(([title, lines]) => [paint.bold(title), ...indent(lines, "  "), ""]), verdict].join("\n")}\n`;
}
