import { isMap, isScalar, isSeq, Scalar } from "yaml";

/** How a JSON text is laid out: blanks or tabs for each level; empty = all on one line. */
export type Indent = string;

/** The layout of a text that is JSON; `undefined`: it is none. */
export function jsonIndent(text: string): Indent | undefined {
  try {
    JSON.parse(text);
  } catch {
    return undefined;
  }
  return /^[{[]\s*\n([ \t]+)/.exec(text)?.[1] ?? "";
}

/** Nodes as JSON. A number comes out as it was written, also one of twenty digits. */
export function jsonText(node: unknown, indent: Indent, margin = "\n"): string {
  const inner = margin + indent;
  const spread = ([open, close]: string, parts: readonly string[]) => {
    if (parts.length === 0) return `${open}${close}`;
    return indent === ""
      ? `${open}${parts.join(",")}${close}`
      : `${open}${inner}${parts.join(`,${inner}`)}${margin}${close}`;
  };
  const colon = indent === "" ? ":" : ": ";
  if (isMap(node)) {
    const pairs = node.items.map(({ key, value }) => {
      const name = isScalar(key) ? key.value : key;
      return JSON.stringify(String(name)) + colon + jsonText(value, indent, inner);
    });
    return spread("{}", pairs);
  }
  if (isSeq(node))
    return spread(
      "[]",
      node.items.map((item) => jsonText(item, indent, inner)),
    );
  return scalarText(node);
}

/** As JSON writes what is no text. Source: RFC 8259, sections 3 and 6. */
const LITERAL = /^(?:null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?)$/;

function scalarText(node: unknown): string {
  const text = String(isScalar(node) ? node.value : node);
  const isPlain = isScalar(node) && (node.type ?? Scalar.PLAIN) === Scalar.PLAIN;
  return isPlain && LITERAL.test(text) ? text : JSON.stringify(text);
}
