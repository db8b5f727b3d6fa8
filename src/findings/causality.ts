import { LAYERS } from "../model/detector-record.ts";
import { type Evidence, type Severity, type Subject, severityRank } from "../model/finding.ts";
import type { Settings } from "../model/settings.ts";
import { endpointText } from "../model/target.ts";
import { type Case, holdOf } from "./case.ts";
import { higher } from "./severity.ts";

/** A root may be found later than what it causes: many need a longer look. */
const LATER_MS = 60_000;

export interface Causality {
  /** Key of a consequence → the active case that explains it directly. */
  readonly roots: ReadonlyMap<string, Case>;
  /** Key of a consequence → a pending case that may explain it soon. */
  readonly waiting: ReadonlyMap<string, Case>;
  /** Key → severity with that of its consequences; a pinned one is not raised. */
  readonly severities: ReadonlyMap<string, Severity>;
}

/**
 * Who explains whom (findings: suppression). An edge needs a declared cause, on the same target or on
 * the one that the consequence's evidence names, that began no later than a minute after it was first seen in the present life of its target. Edges
 * never close a circle (two services that call each other and are both slow): the one that was seen
 * first stays the root. A root that the user pinned below a consequence takes nothing from it.
 */
export function explain(cases: readonly Case[], settings: Settings): Causality {
  const roots = new Map<string, Case>();
  const waiting = new Map<string, Case>();
  const latestFirst = cases.toSorted((a, b) => b.openedMs - a.openedMs || (a.key < b.key ? 1 : -1));
  for (const entry of latestFirst) {
    const candidates = cases.filter((root) => explains(root, entry, settings)).toSorted(rootFirst);
    const root = candidates.find(
      (candidate) => candidate.stage === "active" && !leadsTo(roots, candidate, entry),
    );
    const soon = candidates.find((candidate) => candidate.stage === "pending");
    if (root !== undefined) roots.set(entry.key, root);
    else if (soon !== undefined) waiting.set(entry.key, soon);
  }
  return { roots, waiting, severities: inherit(cases, roots, settings) };
}

/** The root of all roots of a case, along the direct ones. */
export function lastRoot(roots: ReadonlyMap<string, Case>, entry: Case): Case | undefined {
  let root = roots.get(entry.key);
  for (let next = root; next !== undefined; next = roots.get(next.key)) root = next;
  return root;
}

/** Whether a consequence with its hold behind it still waits for a cause that is pending. */
export function isHeldBack(entry: Case, causality: Causality, settings: Settings): boolean {
  const soon = causality.waiting.get(entry.key);
  const code = soon && settings.findings[soon.target]?.[soon.detector.code];
  return soon !== undefined && code !== undefined && entry.waitedMs < holdOf(soon, code);
}

function leadsTo(roots: ReadonlyMap<string, Case>, from: Case, to: Case): boolean {
  for (let next: Case | undefined = from; next !== undefined; next = roots.get(next.key))
    if (next.key === to.key) return true;
  return false;
}

function rootFirst(a: Case, b: Case): number {
  const layer = (entry: Case) => LAYERS.indexOf(entry.detector.layer);
  return layer(a) - layer(b) || a.openedMs - b.openedMs || (a.key < b.key ? -1 : 1);
}

function explains(root: Case, entry: Case, settings: Settings): boolean {
  if (root.key === entry.key || !isDeclared(root, entry, settings)) return false;
  if (root.begunMs > entry.inEpochMs + LATER_MS) return false;
  const { code } = root.detector;
  const { evidence } = root.symptom;
  const cause = { code, subject: root.subject, evidence };
  return entry.detector.explainedBy(cause, entry.symptom.evidence, entry.subject);
}

function isDeclared(root: Case, entry: Case, settings: Settings): boolean {
  const { code } = root.detector;
  const isCause = entry.detector.causes.some((cause) => cause.code === code);
  if (root.target === entry.target || sharesPlace(root, entry)) return isCause;
  if (!namesTarget(entry, root.target, settings)) return false;
  const isOverThere = entry.detector.dependencyCauses.some((cause) => cause.code === code);
  return isCause || isOverThere || code === entry.detector.code;
}

/** Two targets may be ways to the same place: the same upstream or address is the same target. */
function sharesPlace(a: Case, b: Case): boolean {
  const places = (entry: Case) =>
    [entry.subject, entry.symptom.evidence].flatMap((words: Subject | Evidence) =>
      [words["upstream"], words["address"]].filter((word) => typeof word === "string"),
    );
  const ofB = new Set(places(b));
  return places(a).some((place) => ofB.has(place));
}

/** Evidence names a target by its name, or by the host and port that the app's channel has. */
function namesTarget(entry: Case, name: string, settings: Settings): boolean {
  const { evidence } = entry.symptom;
  const named = [evidence["dependency"], evidence["upstream"], entry.subject["upstream"]];
  const target = settings.targets.find((candidate) => candidate.name === name);
  const words = target === undefined ? [] : [target.address, endpointText(target.endpoint)];
  return [name, ...words].some((word) => named.includes(word));
}

/** Severities up the edges; removes the edges that would cost a consequence its alert. */
function inherit(
  cases: readonly Case[],
  roots: Map<string, Case>,
  settings: Settings,
): ReadonlyMap<string, Severity> {
  const severities = new Map<string, Severity>();
  const pinOf = (entry: Case) => settings.findings[entry.target]?.[entry.detector.code]?.severity;
  const effective = (entry: Case): Severity => {
    const done = severities.get(entry.key);
    if (done !== undefined) return done;
    let severity = entry.settled.severity;
    const pin = pinOf(entry);
    for (const other of cases.filter((one) => roots.get(one.key)?.key === entry.key)) {
      const inherited = effective(other);
      if (pin === undefined)
        severity = other.stage === "active" ? higher(severity, inherited) : severity;
      else if (severityRank(pin) < severityRank(inherited)) roots.delete(other.key);
    }
    severities.set(entry.key, severity);
    return severity;
  };
  for (const entry of cases) effective(entry);
  return severities;
}
