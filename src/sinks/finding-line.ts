import type { Finding, FindingChange } from "../model/finding.ts";
import { findingDocument } from "../model/findings-document.ts";
import type { Json } from "../model/json.ts";
import type { LogLevel, LogLine } from "./log-line.ts";

const LEVELS: Readonly<Record<Finding["severity"], LogLevel>> = {
  info: "info",
  warning: "warn",
  critical: "error",
};

/**
 * A log collector cuts, or drops, what is longer than 8 KiB: so many for the finding, for the
 * message and for what took it over; the rest is the line's frame.
 */
const MOST_FINDING_BYTES = 7 * 1024;
const MOST_TEXT_BYTES = 500;
const MOST_BECAUSE_BYTES = 200;

/** The line of one transition in the life of a finding: the alert in the log. */
export function findingLine(change: FindingChange): LogLine {
  const { finding, transition, at, why, because } = change;
  const isOver = transition === "resolved" || transition === "suppressed";
  const fields = {
    finding: fitted(findingDocument(finding)),
    ...(why === undefined ? {} : { why }),
    ...(because === undefined ? {} : { because: cutText(because, MOST_BECAUSE_BYTES) }),
    ...(finding.isDrill === true ? { drill: true } : {}),
    ...(finding.traceId === undefined ? {} : { trace_id: finding.traceId }),
    ...(finding.spanId === undefined ? {} : { span_id: finding.spanId }),
  };
  return {
    level: isOver ? "info" : LEVELS[finding.severity],
    at,
    event: `grpc_doctor.finding.${transition}`,
    msg: cutText(
      `${finding.code} on ${finding.target} ${transition}: ${finding.summary}`,
      MOST_TEXT_BYTES,
    ),
    fields,
  };
}

/**
 * The same object within the bound. Its longest evidence goes first, then what changed; the rest is
 * bounded by its makers, and cut where they were not. What was cut says `truncated: true`.
 */
function fitted(object: Readonly<Record<string, Json>>): Record<string, Json> {
  if (bytesOf(object) <= MOST_FINDING_BYTES) return { ...object };
  const evidence = Object.entries(asRecord(object["evidence"]));
  const shortestFirst = evidence.toSorted(([, a], [, b]) => bytesOf(a) - bytesOf(b));
  const bare = { ...object, evidence: {}, changed: [], truncated: true };

  const room = MOST_FINDING_BYTES - bytesOf(bare);
  let used = 0;
  const kept = shortestFirst.filter(([key, value]) => {
    used += bytesOf(key) + bytesOf(value) + 2;
    return used <= room;
  });
  return room >= 0 ? { ...bare, evidence: Object.fromEntries(kept) } : cutTexts(bare);
}

/** For an object that is too long without its evidence: no text is longer than its bound. */
function cutTexts(object: Readonly<Record<string, Json>>): Record<string, Json> {
  const cut = ([key, value]: [string, Json]): [string, Json] => {
    if (typeof value === "string") return [key, cutText(value, MOST_TEXT_BYTES)];
    return [key, bytesOf(value) > MOST_TEXT_BYTES ? (Array.isArray(value) ? [] : {}) : value];
  };
  return Object.fromEntries(Object.entries(object).map(cut));
}

/** A text that takes no more bytes in the line, where each character may take six. */
function cutText(text: string, most: number): string {
  let cut = text.slice(0, most);
  while (bytesOf(cut) > most) cut = cut.slice(0, Math.floor(cut.length * 0.9));
  return cut;
}

function bytesOf(value: Json): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function asRecord(value: Json | undefined): Readonly<Record<string, Json>> {
  const isRecord = typeof value === "object" && value !== null && !Array.isArray(value);
  return isRecord ? (value as Readonly<Record<string, Json>>) : {};
}
