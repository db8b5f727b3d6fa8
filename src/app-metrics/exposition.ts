/** One sample of an exposition; the time stamp and the exemplar are left out. */
export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  /** May be NaN or infinite, as the format allows. */
  readonly value: number;
}

const NAME = /^[a-zA-Z_:][\w:]*/;
const LABEL = /\s*([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*(,|(?=\}))/y;
const VALUE = /^\s*([^\s#]+)/;
const MAX_LABELS = 64;

/**
 * Reads one line of the Prometheus text format 0.0.4 or of OpenMetrics 1.0; `undefined` for comments,
 * empty lines and junk. What the two differ in (types, exemplars, `# EOF`) is not needed here.
 *
 * Source: prometheus/docs exposition_formats.md; OpenMetrics 1.0, section 4.
 */
export function parseSample(line: string): Sample | undefined {
  const name = NAME.exec(line)?.[0];
  if (name === undefined) return undefined;
  const rest = line.slice(name.length);
  const read = rest.startsWith("{") ? parseLabels(rest) : { labels: new Map(), end: 0 };
  if (read === undefined) return undefined;
  const value = parseValue(VALUE.exec(rest.slice(read.end))?.[1] ?? "");
  return value === undefined ? undefined : { name, labels: read.labels, value };
}

function parseLabels(text: string): { labels: Map<string, string>; end: number } | undefined {
  const labels = new Map<string, string>();
  let at = 1;
  while (labels.size < MAX_LABELS) {
    LABEL.lastIndex = at;
    const [found, name, value, comma] = LABEL.exec(text) ?? [];
    if (found === undefined || name === undefined || value === undefined) break;
    labels.set(name, unescape(value));
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
