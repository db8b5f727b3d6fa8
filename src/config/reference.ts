import type { DetectorRecord } from "../model/detector-record.ts";
import { defaultCodeSettings } from "./defaults.ts";
import { configJsonSchema } from "./json-schema.ts";
import { limitText } from "./limit-text.ts";
import { formatDuration } from "./units.ts";

/** One option of the file, as documents list it. */
export interface Option {
  /** `targets[].tls.ca`. */
  readonly path: string;
  /** Its kind, or its words. */
  readonly kind: string;
  /** As the file would write it, in JSON; absent = none. */
  readonly default?: string;
  readonly isRequired: boolean;
  readonly says: string;
}

interface Node {
  readonly type?: string;
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly additionalProperties?: Node | boolean;
}

/** Every option of the file but the codes, in the order of the schema. */
export function configOptions(): readonly Option[] {
  return optionsIn(configJsonSchema([]) as Node, "");
}

/** The options as a Markdown table, with the table of the codes below it. */
export function configReference(detectors: readonly DetectorRecord[]): string {
  const options = configOptions().map(({ path, kind, isRequired, says, ...rest }) => {
    const usual = isRequired
      ? "**required**"
      : rest.default === undefined
        ? ""
        : `\`${rest.default}\``;
    return [`\`${path}\``, kind, usual, says];
  });
  const codes = detectors.map((record) => {
    const { enabled, holdMs, clearAfterMs } = defaultCodeSettings(record);
    const limits = Object.entries(record.limits).map(([name, limit]) => {
      const [value, min, max] = [limit.default, limit.min, limit.max].map((one) =>
        limitText(limit, one),
      );
      const bound = limit.atMost === undefined ? "" : `, at most \`${limit.atMost}\``;
      return `\`${name}: ${value}\` (${min} to ${max}${bound}): ${limit.says}`;
    });
    const times = [formatDuration(holdMs), formatDuration(clearAfterMs)];
    return [`\`${record.code}\``, enabled ? record.severity : "off", ...times, limits.join("<br>")];
  });
  return [
    ...table(["Option", "Value", "Default", "Meaning"], options),
    "",
    "### Codes",
    "",
    ...table(["Code", "Severity", "`hold`", "`clearAfter`", "Limits"], codes),
    "",
  ].join("\n");
}

function optionsIn(node: Node, path: string): readonly Option[] {
  const branches = [node, ...(node.anyOf ?? [])];
  return branches.flatMap((branch) => {
    const inList = branch.items === undefined ? [] : optionsIn(branch.items, `${path}[]`);
    const named = Object.entries(branch.properties ?? {}).flatMap(([name, inner]) => {
      const isRequired = (branch.required ?? []).includes(name);
      const at = path === "" ? name : `${path}.${name}`;
      return [option(at, inner, isRequired), ...optionsIn(inner, at)];
    });
    const { additionalProperties: free } = branch;
    const isTyped =
      typeof free === "object" && free.anyOf?.some((one) => one.properties !== undefined) === true;
    return [...named, ...inList, ...(isTyped ? optionsIn(free, `${path}.<key>`) : [])];
  });
}

function option(path: string, node: Node, isRequired: boolean): Option {
  const isPlain = node.default !== undefined && !isEmptyMapping(node.default);
  return {
    path,
    kind: kindOf(node),
    ...(isPlain ? { default: JSON.stringify(node.default) } : {}),
    isRequired,
    says: node.description ?? "",
  };
}

function kindOf(node: Node): string {
  if (node.title !== undefined) return node.title;
  if (node.enum !== undefined) return node.enum.map(wordText).join(", ");
  if (node.const !== undefined) return wordText(node.const);
  if (node.anyOf !== undefined) return [...new Set(node.anyOf.map(kindOf))].join(", ");
  if (node.type === "array") return `list of ${kindOf(node.items ?? {})}`;
  return KINDS[node.type ?? ""] ?? "any JSON";
}

const KINDS: Readonly<Record<string, string>> = {
  object: "mapping",
  string: "text",
  number: "number",
  integer: "whole number",
  boolean: "`true`, `false`",
};

function wordText(word: unknown): string {
  return `\`${String(word)}\``;
}

function isEmptyMapping(value: unknown): boolean {
  return JSON.stringify(value) === "{}";
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
