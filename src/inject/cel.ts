/** Objects whose keys are data and not fields: CEL has maps for them. */
const MAPS = new Set(["requests", "limits"]);

/** So wide may a value stand on one line. */
const WIDTH = 100;

/**
 * Writes a plain value as CEL, its objects as the types that the API server has for the path where
 * they are going. Texts that stand in `expressions` become those.
 */
export function celOf(
  value: unknown,
  path: string,
  expressions: Readonly<Record<string, string>> = {},
): string {
  if (typeof value === "string") return expressions[value] ?? celText(value);
  if (typeof value !== "object" || value === null) return String(value);
  if (Array.isArray(value)) {
    return block(
      ["[", "]"],
      value.map((item) => celOf(item, path, expressions)),
    );
  }
  const field = path.slice(path.lastIndexOf(".") + 1);
  const isMap = MAPS.has(field);
  const entries = Object.entries(value).map(([key, one]) => {
    const text = celOf(one, `${path}.${key}`, expressions);
    return `${isMap ? celText(key) : key}: ${text}`;
  });
  return block([isMap ? "{" : `${path}{`, "}"], entries);
}

/** A text as a literal, which JSON and CEL write alike. */
export function celText(text: string): string {
  return JSON.stringify(text);
}

/** The first text whose condition holds, else the last. */
export function celChoice(rows: readonly (readonly [string, string])[], otherwise: string): string {
  return [...rows.map(([condition, text]) => `${condition}\n  ? ${text}\n  : `), otherwise].join(
    "",
  );
}

/** Lists that are there or not, as one list. */
export function celSum(lists: readonly string[]): string {
  return lists.join(" +\n");
}

/** A list where a condition holds, else an empty one. */
export function celIf(condition: string, list: string): string {
  return `(${condition} ? ${list} : [])`;
}

function block([open, close]: readonly [string, string], parts: readonly string[]): string {
  const line = `${open}${parts.join(", ")}${close}`;
  if (line.length <= WIDTH && !line.includes("\n")) return line;
  const lines = parts.map((part) => `  ${part.replaceAll("\n", "\n  ")}`);
  return `${open}\n${lines.join(",\n")}\n${close}`;
}
