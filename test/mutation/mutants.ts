import { parseAst } from "vitest/node";

/** One condition that is broken on purpose: `text` instead of what stands at `start` to `end`. */
export interface Mutant {
  /** File, place, what is there, and what instead. */
  readonly name: string;
  /** The same without its place: stable while its text is. */
  readonly id: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** A node of the tree: its own keys are of its type. */
interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

type Change = (node: Node, source: string) => readonly string[];

const FLIPPED: Readonly<Record<string, readonly string[]>> = {
  "<": ["<=", ">="],
  "<=": ["<", ">"],
  ">": [">=", "<="],
  ">=": [">", "<"],
  "===": ["!=="],
  "!==": ["==="],
};
const SWAPPED: Readonly<Record<string, string>> = { some: "every", every: "some" };
const EXTREME: Readonly<Record<string, string>> = { max: "min", min: "max" };

/** What is done to a node of each type; conditions that are comparisons or negations are broken as such. */
const CHANGES: Readonly<Record<string, Change>> = {
  BinaryExpression: ({ operator, left, right }, source) =>
    (FLIPPED[String(operator)] ?? []).map(
      (flipped) => `${textOf(left, source)} ${flipped} ${textOf(right, source)}`,
    ),
  LogicalExpression: ({ operator, left, right }, source) =>
    operator === "??" ? [] : [textOf(left, source), textOf(right, source)],
  UnaryExpression: ({ operator, argument }, source) =>
    operator === "!" ? [textOf(argument, source)] : [],
  CallExpression: ({ callee, arguments: given }, source) => callChanges(callee, given, source),
};

/**
 * Every way in which one condition of a file is broken once: comparisons flipped, at the limit and as a
 * whole; operands of `&&` and `||`, and whole guards, dropped; conditions negated; `filter` left out; `some`
 * for `every`, `min` for `max`. Only inside functions: what is declared is proven by contract tests.
 */
export function mutantsOf(file: string, source: string): readonly Mutant[] {
  const found: Mutant[] = [];
  const add = ({ start, end }: Node, text: string) => {
    if (found.some((one) => one.start === start && one.end === end && one.text === text)) return;
    const change = `${oneLine(source.slice(start, end))} → ${oneLine(text)}`;
    const name = `${file}:${placeOf(source, start)} ${change}`;
    found.push({ name, id: `${file} ${change}`, start, end, text });
  };
  visit(parse(source), false, (node) => {
    for (const text of CHANGES[node.type]?.(node, source) ?? []) add(node, text);
    if (node.type === "IfStatement") {
      const test = node["test"] as Node;
      add(test, "false");
      if (!isBrokenAsSuch(test)) add(test, `!(${textOf(test, source)})`);
    }
    if (node.type === "ConditionalExpression") {
      const test = node["test"] as Node;
      if (!isBrokenAsSuch(test)) add(test, `!(${textOf(test, source)})`);
    }
  });
  return found;
}

/**
 * The file with all of its mutants in it, each asleep until `globalThis.mutation.active` is its name. A loop
 * counts its turns, so that a mutant that would never end does.
 */
export function withMutants(file: string, source: string): string {
  const insertions = mutantsOf(file, source).flatMap(({ name, start, end, text }) => [
    {
      at: start,
      size: end - start,
      text: `(globalThis.mutation.active===${JSON.stringify(name)}?(${text}):(`,
    },
    { at: end, size: start - end, text: "))" },
  ]);
  visit(parse(source), false, ({ type, test }) => {
    if (!/^(For|While|DoWhile)Statement$/.test(type) || !isNode(test)) return;
    const { start, end } = test;
    insertions.push({ at: start, size: Number.MAX_VALUE, text: "(globalThis.mutation.turn(),(" });
    insertions.push({ at: end, size: -Number.MAX_VALUE, text: "))" });
  });
  // What closes comes before what opens; of two that open the larger is first, of two that close the smaller.
  insertions.sort(
    (a, b) => a.at - b.at || Math.sign(a.size) - Math.sign(b.size) || b.size - a.size,
  );
  let written = "";
  let from = 0;
  for (const { at, text } of insertions) {
    written += source.slice(from, at) + text;
    from = at;
  }
  return written + source.slice(from);
}

function parse(source: string): Node {
  return parseAst(source, { lang: "ts" }) as unknown as Node;
}

/** Calls `see` for every node inside a function, outer first; types have no conditions. */
function visit(node: Node, isInside: boolean, see: (node: Node) => void): void {
  const isType = node.type.startsWith("TS") && !/^TS(As|Satisfies|NonNull)/.test(node.type);
  if (isType) return;
  if (isInside) see(node);
  const inside = isInside || /Function/.test(node.type);
  for (const child of Object.values(node).flat()) if (isNode(child)) visit(child, inside, see);
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && "type" in value && "start" in value;
}

function isBrokenAsSuch({ type, operator }: Node): boolean {
  return (
    (type === "BinaryExpression" && FLIPPED[String(operator)] !== undefined) ||
    (type === "UnaryExpression" && operator === "!")
  );
}

function callChanges(callee: unknown, given: unknown, source: string): readonly string[] {
  if (!isNode(callee) || callee.type !== "MemberExpression") return [];
  const object = textOf(callee["object"], source);
  const name = textOf(callee["property"], source);
  const dot = callee["optional"] === true ? "?." : ".";
  const words = (given as readonly unknown[]).map((one) => textOf(one, source)).join(", ");
  if (name === "filter") return [object];
  const other = object === "Math" ? EXTREME[name] : SWAPPED[name];
  return other === undefined ? [] : [`${object}${dot}${other}(${words})`];
}

function placeOf(source: string, offset: number): string {
  const lines = source.slice(0, offset).split("\n");
  return `${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
}

function textOf(node: unknown, source: string): string {
  return isNode(node) ? source.slice(node.start, node.end) : "";
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > 90 ? `${line.slice(0, 89)}…` : line;
}
