import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type YAMLMap,
} from "yaml";
import type { Fault } from "./fault.ts";
import { isSecretPath, type Path, pathKey, pathText } from "./path.ts";
import { type Environment, expandVariables } from "./variables.ts";

/** Where a value stands, and how it is written there. */
export interface Place {
  readonly line: number;
  readonly column: number;
  /** As written, cut at 60 characters; absent for lists and mappings. */
  readonly source?: string;
}

/** A YAML file as plain values, with the place of every value and key. */
export interface ConfigDocument {
  readonly value: unknown;
  readonly faults: readonly Fault[];
  /** The value's place; for a path that is not in the file, its nearest ancestor's. */
  place(path: Path): Place;
  /** The place of the key that names the value. */
  keyPlace(path: Path): Place;
}

/** Far above any real file; below what would hurt. */
const LIMITS = { bytes: 256 * 1024, values: 20_000, depth: 24, brackets: 1_000, faults: 50 };

/**
 * Reads YAML 1.2 (core schema: `no` and `off` stay words), puts in variables, and keeps the place of
 * everything. A file may be hostile: size, depth and the number of values are bounded, and aliases
 * count as often as they are used, which disarms alias bombs.
 */
export function readDocument(text: string, file: string, environment: Environment): ConfigDocument {
  const walk = new Walk(file, environment);
  walk.read(text);
  return walk;
}

class Walk implements ConfigDocument {
  value: unknown;
  readonly faults: Fault[] = [];
  readonly #lines = new LineCounter();
  readonly #file: string;
  readonly #environment: Environment;
  readonly #places = new Map<string, Place>();
  readonly #keys = new Map<string, Place>();
  readonly #anchors = new Map<string, unknown>();
  #values = 0;

  constructor(file: string, environment: Environment) {
    this.#file = file;
    this.#environment = environment;
  }

  read(text: string): void {
    const bytes = Buffer.byteLength(text);
    if (bytes > LIMITS.bytes) {
      return this.#fault([], 0, {
        found: `${bytes} bytes`,
        allowed: `at most ${LIMITS.bytes} bytes`,
      });
    }
    // The parser needs a second for a file of brackets: what no file has is refused unread.
    if (deepestBracket(text) > LIMITS.brackets) return this.#tooDeep();
    const document = this.#parse(text);
    if (document === undefined) return;
    // Later errors are mostly echoes of the first.
    const error =
      document.errors.toSorted((a, b) => a.pos[0] - b.pos[0])[0] ?? document.warnings[0];
    if (error?.code === "RESOURCE_EXHAUSTION") return this.#tooDeep();
    if (error !== undefined) {
      const found = `no valid YAML (${withoutQuote(error.message)})`;
      return this.#fault([], error.pos[0], { found, allowed: "one YAML 1.2 document" });
    }
    const value = this.#node(document.contents, []) ?? {};
    // Of a file that was not read to its end nothing more can be said.
    if (this.#values <= LIMITS.values) this.value = value;
  }

  place(path: Path): Place {
    for (let length = path.length; length >= 0; length -= 1) {
      const place = this.#places.get(pathKey(path.slice(0, length)));
      if (place !== undefined) return place;
    }
    return { line: 1, column: 1 };
  }

  keyPlace(path: Path): Place {
    return this.#keys.get(pathKey(path)) ?? this.place(path);
  }

  #parse(text: string): Document.Parsed | undefined {
    try {
      // Duplicate keys are found below, in linear time and with a better message.
      return parseDocument(text, {
        lineCounter: this.#lines,
        prettyErrors: false,
        uniqueKeys: false,
        logLevel: "error",
      });
    } catch (thrown) {
      if (!(thrown instanceof RangeError)) throw thrown;
      this.#tooDeep();
      return undefined;
    }
  }

  #tooDeep(): void {
    this.#fault([], 0, { found: "values nested deeper", allowed: `${LIMITS.depth} levels` });
  }

  #node(node: unknown, path: Path): unknown {
    this.#values += 1;
    if (!this.#isWithinBounds(node, path)) return undefined;
    if (isAlias(node)) return this.#alias(node.source, this.#offset(node), path);
    if (isScalar(node)) return this.#scalar(node, path);
    const anchor = isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, undefined);
    this.#places.set(pathKey(path), this.#at(this.#offset(node)));
    const value = isMap(node)
      ? this.#mapping(node, path)
      : isSeq(node)
        ? node.items.map((item, index) => this.#node(item, [...path, index]))
        : null;
    if (anchor !== undefined) this.#anchors.set(anchor, node);
    return value;
  }

  #isWithinBounds(node: unknown, path: Path): boolean {
    if (path.length > LIMITS.depth) {
      this.#fault(path, this.#offset(node), {
        found: "a value nested deeper",
        allowed: `${LIMITS.depth} levels`,
      });
      return false;
    }
    if (this.#values === LIMITS.values + 1) {
      this.#fault([], this.#offset(node), {
        found: "more values, aliases followed",
        allowed: `${LIMITS.values} values`,
      });
    }
    return this.#values <= LIMITS.values;
  }

  #alias(name: string, offset: number, path: Path): unknown {
    const target = this.#anchors.get(name);
    if (target === undefined) {
      this.#fault(path, offset, {
        found: `${isSecretPath(path) ? "an alias" : `*${name}`}, which names nothing before it`,
        allowed: "an anchor that stands before its alias",
      });
      return undefined;
    }
    const value = this.#node(target, path);
    this.#places.set(pathKey(path), { ...this.#at(offset), source: `*${name}` });
    return value;
  }

  #scalar(
    node: { value: unknown; source?: string; anchor?: string; type?: string },
    path: Path,
  ): unknown {
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
    const written = node.source ?? String(node.value);
    const offset = this.#offset(node);
    this.#places.set(pathKey(path), { ...this.#at(offset), source: cut(written) });
    if (typeof node.value !== "string") return node.value;
    const expansion = expandVariables(node.value, this.#environment);
    if ("found" in expansion) {
      this.#fault(path, offset, expansion);
      return undefined;
    }
    // A plain scalar becomes what it would have been, had the text stood there: `ratio: ${RATIO}`.
    const isPlain = node.type === "PLAIN" && expansion.hasVariable;
    return isPlain ? plainValue(expansion.text) : expansion.text;
  }

  #mapping(node: YAMLMap, path: Path): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    for (const { key, value } of node.items) {
      const offset = this.#offset(key);
      const name = isScalar(key) ? String(key.value) : undefined;
      if (name === undefined) {
        this.#fault(path, offset, {
          found: "a key that is no word",
          allowed: "plain words as keys",
        });
      } else if (entries.has(name)) {
        this.#duplicate([...path, name], offset);
      } else {
        this.#keys.set(pathKey([...path, name]), this.#at(offset));
        entries.set(name, this.#node(value, [...path, name]));
      }
    }
    return Object.fromEntries(entries);
  }

  #duplicate(path: Path, offset: number): void {
    const first = this.keyPlace(path);
    this.#fault(path, offset, {
      found: "the key a second time",
      allowed: `it once; it stands at ${first.line}:${first.column}`,
    });
  }

  #fault(path: Path, offset: number, { found, allowed }: Pick<Fault, "found" | "allowed">): void {
    if (this.faults.length >= LIMITS.faults) return;
    const { line, column } = this.#at(offset);
    this.faults.push({ file: this.#file, line, column, path: pathText(path), found, allowed });
  }

  #offset(node: unknown): number {
    const range = (node as { range?: readonly number[] | null } | null)?.range;
    return range?.[0] ?? 0;
  }

  #at(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** The core schema's reading of a plain scalar. */
function plainValue(text: string): unknown {
  if (/^(?:true|false)$/i.test(text)) return text.toLowerCase() === "true";
  return /^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : text;
}

/** What stands after a colon is what the file says there, and may be a secret. */
function withoutQuote(message: string): string {
  const [said = ""] = message.split(";");
  return said.replace(/(?<=\w): (?!tag:yaml\.org,).*$/s, "");
}

function cut(text: string): string {
  const line = text.split("\n")[0] ?? "";
  return line.length > 60 || line !== text ? `${line.slice(0, 60)}…` : line;
}

/** How deep brackets nest, those in texts included: a bound, far above what a file needs. */
function deepestBracket(text: string): number {
  let depth = 0;
  let deepest = 0;
  for (const [bracket] of text.matchAll(/[[\]{}]/g)) {
    depth += bracket === "[" || bracket === "{" ? 1 : -1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
}
