import type * as z from "zod";
import type { Path } from "./path.ts";
import type { Breach } from "./rules/rule.ts";

type Issue = z.core.$ZodIssue;
type RawIssue = z.core.$ZodRawIssue;

/**
 * What is allowed where the schema refuses, in our words: given to the parse as its error map. A
 * message that a schema states itself goes before it.
 */
export function allowedText(issue: RawIssue): string {
  switch (issue.code) {
    case "unrecognized_keys":
      return knownKeys(issue.inst).join(", ");
    case "invalid_type":
      return KINDS[issue.expected] ?? issue.expected;
    case "invalid_value":
      return issue.values.map((value) => String(value)).join(", ");
    default:
      return "another value";
  }
}

/** The breaches that one issue of the schema stands for. */
export function breachesOf(issue: Issue): readonly Breach[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => unknownKey([...path, key], issue.message));
  }
  if (issue.code === "invalid_union") return unionBreaches(issue, path);
  if (issue.code === "invalid_key") {
    return [
      { path, allowed: issue.issues[0]?.message ?? issue.message, found: "this key", atKey: true },
    ];
  }
  const among = issue.code === "invalid_value" ? issue.values.map(String) : [];
  return [{ path, allowed: issue.message, among }];
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
};

function unknownKey(path: Path, allowed: string): Breach {
  const known = allowed.split(", ");
  return {
    path,
    found: "an unknown key",
    allowed: known.length > MOST_LISTED ? "a code that grpc-doctor codes lists" : allowed,
    atKey: true,
    among: known,
  };
}

/** `findings:` has a key for each code; every other mapping has fewer. */
const MOST_LISTED = 24;

/**
 * A union fails in each of its branches. The one whose kind fits the value tells what is wrong with
 * it; when none fits, the union's own message says what would.
 */
function unionBreaches(
  issue: Extract<Issue, { code: "invalid_union" }>,
  path: Path,
): readonly Breach[] {
  const branch = issue.errors.find((errors) => !errors.some(isOfAnotherKind));
  if (branch === undefined) return [{ path, allowed: issue.message }];
  return branch.flatMap((inner) =>
    breachesOf({ ...inner, path: [...path, ...inner.path] } as Issue),
  );
}

function isOfAnotherKind({ code, path }: Issue): boolean {
  return path.length === 0 && (code === "invalid_type" || code === "invalid_value");
}

function knownKeys(schema: unknown): readonly string[] {
  const definition = (schema as { _zod?: { def?: { shape?: object } } } | undefined)?._zod?.def;
  return Object.keys(definition?.shape ?? {});
}
