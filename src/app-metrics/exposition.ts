/** One sample of an exposition; the time stamp and the exemplar are left out. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** May be NaN or infinite, as the format allows. */
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][\w:]*/;
/** A name outside the old alphabet stands in quotes, first within the braces. */
const QUOTED_NAME = /^\{\s*"((?:[^"\\]|\\.)*)"\s*(?:,|(?=\}))/;
const LABEL = /\s*(?:([a-zA-Z_]\w*)|"((?:[^"\\]|\\.)*)")\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;
const VALUE = /^\s*([^\s#]+)/;
const MAX_LABELS = 64;

/**
 * Reads one line of the Prometheus text formats 0.0.4 and 1.0.0 or of OpenMetrics 1.0; `undefined` for
 * comments, empty lines and junk. What they differ in (types, exemplars, `# EOF`) is not needed here.
 * Names in quotes are told as they are without: each other character an underscore.
 *
 * Source: prometheus/docs exposition_formats.md and escaping_schemes.md; OpenMetrics 1.0, section 4.
 */
export function parseSample(line: string): Sample | undefined {
  const head = nameOf(line);
  if (head === undefined) return undefined;
  const { name, length } = head;
  const rest = line.slice(length);
  const hasLabels = rest.startsWith("{") || isQuoted(line);
  const read = hasLabels
    ? parseLabels(rest, isQuoted(line) ? 0 : 1)
    : { labels: new Map<string, string>(), end: 0 };
  if (read === undefined) return undefined;
  const value = parseValue(VALUE.exec(rest.slice(read.end))?.[1] ?? "");
  return value === undefined ? undefined : { name, labels: read.labels, value };
}

/** The name that a line begins with, and how much of the line it takes; `undefined` where it has none. */
function nameOf(line: string): { name: string; length: number } | undefined {
  if (!isQuoted(line)) {
    const name = NAME.exec(line)?.[0];
    return name === undefined ? undefined : { name, length: name.length };
  }
  const [all, name] = QUOTED_NAME.exec(line) ?? [];
  return all === undefined || name === undefined
    ? undefined
    : { name: plain(name), length: all.length };
}

function isQuoted(line: string): boolean {
  return line.startsWith("{");
}

function plain(name: string): string {
  return name.replaceAll(/[^\w:]/g, "_");
}

function parseLabels(
  text: string,
  begin: number,
): { labels: Map<string, string>; end: number } | undefined {
  const labels = new Map<string, string>();
  let at = begin;
  while (labels.size < MAX_LABELS) {
    LABEL.lastIndex = at;
    const [found, bare, quoted, value, comma] = LABEL.exec(text) ?? [];
    if (found === undefined || value === undefined) break;
    labels.set(bare ?? plain(quoted ?? ""), unescape(value));
    at += found.length;
    if (comma !== ",") break;
  }
  const closing = /^\s*\}/.exec(text.slice(at))?.[0];
  return closing === undefined ? undefined : { labels, end: at + closing.length };
}

function unescape(value: string): string {
  return value.includes("\\")
    ? value.replace(/\\(.)/g, (_all, letter: string) => (letter === "n" ? "\n" : letter))
    : value;
}

const SPECIAL: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  "+inf": Number.POSITIVE_INFINITY,
  inf: Number.POSITIVE_INFINITY,
  "-inf": Number.NEGATIVE_INFINITY,
};

function parseValue(text: string): number | undefined {
  const special = SPECIAL[text.toLowerCase()];
  if (special !== undefined) return special;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}
