import type { Json } from "../model/json.ts";
import { rfc3339 } from "../model/time.ts";
import { wrap } from "../model/wrap.ts";
import type { LogLevel, LogLine } from "./log-line.ts";

const COLOURS: Readonly<Record<LogLevel, number>> = { debug: 90, info: 32, warn: 33, error: 31 };
const INDENT = " ".repeat(15);
/** Below `evidence`, `remedy` and the like. */
const FURTHER = " ".repeat(10);
/** `HH:MM:SS` of an RFC 3339 stamp; the day is on the wall. */
const TIME_OF_DAY = [11, 19] as const;

export interface TextStyle {
  readonly isColoured: boolean;
  /** Where the texts of a finding are broken. */
  readonly width: number;
}

/**
 * A line as a person reads it on a terminal. A finding takes a few rows: code, target, summary, what
 * convicts it, what to do; everything else takes one.
 */
export function textOf(line: LogLine, { isColoured, width }: TextStyle): string {
  const time = rfc3339(line.at).slice(...TIME_OF_DAY);
  const paint = (text: string): string =>
    isColoured ? `\u001b[${COLOURS[line.level]}m${text}\u001b[0m` : text;
  const head = (word: string) => `${time} ${paint(word.padEnd(5))} `;
  const finding = recordOf(line.fields["finding"]);
  if (finding === undefined) return `${head(line.level)}${printable(line.msg)}\n`;

  const transition = line.event.slice(line.event.lastIndexOf(".") + 1).toUpperCase();
  const { code, severity, target, subject, evidence, remedy, docs } = finding;
  const about = Object.values(recordOf(subject) ?? {}).map(valueText);
  const title = [code, "on", target, ...about.map((name) => `(${valueText(name)})`)].map(valueText);
  const because = line.fields["because"];
  const textWidth = width - INDENT.length - FURTHER.length;
  const isTold = transition === "RESOLVED" || transition === "SUPPRESSED";
  const rows = isTold
    ? because === undefined
      ? []
      : rowsOf("because", valueText(because), textWidth)
    : [
        ...Object.entries(recordOf(evidence) ?? {}).flatMap(([key, value], index) =>
          rowsOf(index === 0 ? "evidence" : "", `${key}: ${valueText(value)}`, textWidth),
        ),
        ...rowsOf("remedy", valueText(remedy), textWidth),
        ...rowsOf("more", valueText(docs), textWidth),
      ];
  const summary = wrap(printable(valueText(finding["summary"])), width - INDENT.length);
  const drill = line.fields["drill"] === true ? " DRILL: not true" : "";
  const first = `${head(line.level)}${paint(`${transition} ${valueText(severity)}`)} ${title.join(" ")}${drill}`;
  return [first, ...[...summary, ...rows].map((row) => INDENT + row), ""].join("\n");
}

/** A text under its name, which stands before its first row only. */
function rowsOf(name: string, text: string, width: number): readonly string[] {
  return wrap(printable(text), width).map(
    (row, index) => `${index === 0 ? name.padEnd(FURTHER.length) : FURTHER}${row}`,
  );
}

function valueText(value: Json | undefined): string {
  if (Array.isArray(value)) return value.map(valueText).join(", ");
  return printable(typeof value === "string" ? value : JSON.stringify(value ?? ""));
}

/** What a terminal would obey instead of showing it is left out. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "");
}

function recordOf(value: Json | undefined): Readonly<Record<string, Json>> | undefined {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, Json>>) : undefined;
}
