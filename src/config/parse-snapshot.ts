import * as z from "zod";
import type { DetectorRecord } from "../model/detector-record.ts";
import type { CodeSettings, Settings } from "../model/settings.ts";
import { AGENT_TARGET } from "../model/target.ts";
import { defaultCodeSettings } from "./defaults.ts";
import { FORMAT, type SavedSnapshot } from "./print-snapshot.ts";
import { instant, maybe, record, text } from "./snapshot/bounds.ts";
import { settingsSchema } from "./snapshot/settings.ts";
import { targetSnapshot } from "./snapshot/target-snapshot.ts";

/** Bytes of a file; a pod with everything on makes some hundred KiB. */
export const LONGEST_SNAPSHOT = 16 * 1024 * 1024;

/** Levels of a file; a snapshot has some ten, and eight million take seconds and half a gigabyte. */
const DEEPEST = 64;
/** Commas and brackets of a file: as many values take a hundred bytes each. */
const MOST_VALUES = 1_000_000;

/** The file is not a snapshot that this agent can judge: `fault` says where and why, in one line. */
export interface UnreadableSnapshot {
  readonly fault: string;
}

const fileSchema = z.object({
  format: z.literal(FORMAT),
  agent: text,
  takenAt: instant,
  wallAheadMs: maybe(instant),
  settings: settingsSchema,
  targets: record(targetSnapshot, 200),
});

/**
 * Reads a stranger's snapshot: size, lists, texts and shapes are bounded, and keys that are not known
 * are dropped. What an older agent did not know is filled in: an absent fact is unknown, and a code
 * without settings has its defaults.
 */
export function parseSnapshot(
  source: string,
  detectors: readonly DetectorRecord[],
): SavedSnapshot | UnreadableSnapshot {
  if (source.length > LONGEST_SNAPSHOT) return { fault: "longer than 16 MiB: no snapshot" };
  const excess = excessOf(source);
  if (excess !== undefined) return { fault: `${excess}: no snapshot` };
  const value = jsonOf(source);
  if (value === undefined) return { fault: "not JSON" };
  const parsed = fileSchema.safeParse(value);
  if (!parsed.success) return { fault: faultOf(parsed.error) };
  const { agent, format: _format, settings, ...snapshot } = parsed.data;
  const names = [...Object.keys(snapshot.targets), AGENT_TARGET];
  const findings = completed(settings.findings, { names, detectors });
  return { agent, settings: { ...settings, findings }, snapshot };
}

/** What a letter outside of texts does to the depth. */
const DEEPER: Readonly<Record<string, number>> = { "[": 1, "{": 1, "]": -1, "}": -1 };

/** What a text has too much of, before anything is built of it; what stands in its strings is nothing. */
function excessOf(source: string): string | undefined {
  let depth = 0;
  let values = 0;
  for (let at = 0; at < source.length; at += 1) {
    const letter = source[at] ?? "";
    if (letter === '"') at = endOfText(source, at + 1);
    const step = DEEPER[letter] ?? 0;
    depth += step;
    if (letter === "," || step > 0) values += 1;
    if (depth > DEEPEST) return `deeper than ${DEEPEST} levels`;
    if (values > MOST_VALUES) return `more than ${MOST_VALUES} values`;
  }
  return undefined;
}

/** Where the quote stands that ends the text that begins here. */
function endOfText(source: string, from: number): number {
  let at = from;
  while (at < source.length && source[at] !== '"') at += source[at] === "\\" ? 2 : 1;
  return at;
}

function jsonOf(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    // The message would quote the file; that it is no JSON says enough.
    return undefined;
  }
}

/** The first of the faults: one is enough to know that the file is not ours. */
function faultOf({ issues }: z.ZodError): string {
  const [issue] = issues;
  const path = issue?.path.map(String).join(".").slice(0, 200);
  return `${path === "" ? "(file)" : path}: ${issue?.message.slice(0, 200) ?? "not valid"}`;
}

function completed(
  findings: Settings["findings"],
  given: { readonly names: readonly string[]; readonly detectors: readonly DetectorRecord[] },
): Settings["findings"] {
  const defaults: Readonly<Record<string, CodeSettings>> = Object.fromEntries(
    given.detectors.map((detector) => [detector.code, defaultCodeSettings(detector)]),
  );
  const codesOf = (name: string) => {
    const codes = Object.entries(defaults).map(([code, usual]): [string, CodeSettings] => {
      const saved = findings[name]?.[code];
      const limits = { ...usual.limits, ...saved?.limits };
      return [code, saved === undefined ? usual : { ...saved, limits }];
    });
    return Object.fromEntries(codes);
  };
  return Object.fromEntries([...new Set(given.names)].map((name) => [name, codesOf(name)]));
}
