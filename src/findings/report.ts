import { findingPage } from "../model/documentation.ts";
import {
  type Evidence,
  type Finding,
  type FindingsReport,
  type Severity,
  severityRank,
  type Unjudged,
} from "../model/finding.ts";
import type { Json } from "../model/json.ts";
import type { Settings } from "../model/settings.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Instant } from "../model/time.ts";
import { type Case, holdOf } from "./case.ts";
import { type Causality, lastRoot } from "./causality.ts";

const LONGEST_LIST = 20;
const LONGEST_TEXT = 200;

/** What is shown of a case depends on the others; its times, on how far the wall clock is ahead. */
interface Shown {
  readonly cases: readonly Case[];
  readonly causality: Causality;
  readonly wallAheadMs: number;
}

export interface ReportOptions extends Omit<Shown, "wallAheadMs"> {
  readonly recent: readonly (Finding & { readonly resolvedAt: Instant })[];
  readonly unjudged: readonly Unjudged[];
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  readonly now: Instant;
}

/** Everything that is known of all findings, worst first. */
export function buildReport(options: ReportOptions): FindingsReport {
  const { causality, recent, unjudged, snapshot, settings, now } = options;
  const cases = options.cases.toSorted(
    (a, b) =>
      severityRank(severityOf(b, causality)) - severityRank(severityOf(a, causality)) ||
      a.openedMs - b.openedMs ||
      (a.key < b.key ? -1 : 1),
  );
  const targets = Object.entries(snapshot.targets);
  const wallAheadMs = snapshot.wallAheadMs ?? 0;
  const show = (entry: Case) => findingOf(entry, { cases, causality, wallAheadMs });
  const open = cases.filter((entry) => entry.silencer === undefined);
  return {
    generatedAt: now + wallAheadMs,
    targets: targets.map(([name, { state, epoch }]) => ({ name, state, epoch })),
    active: open.filter((entry) => entry.stage === "active").map(show),
    pending: open
      .filter((entry) => entry.stage === "pending")
      .map((entry) => ({
        ...show(entry),
        activeInSeconds: secondsLeft(entry, options, settings),
        ...(entry.awaited === undefined ? {} : { waitsFor: entry.awaited.codes }),
      })),
    recent,
    suppressed: cases.flatMap((entry) => {
      const { silencer, stage } = entry;
      if (silencer === undefined || stage === "pending") return [];
      return [{ ...show(entry), because: silencer.because }];
    }),
    unjudged,
    capabilities: targets.flatMap(([target, { capabilities }]) =>
      capabilities.map((capability) => ({
        ...capability,
        since: capability.since + wallAheadMs,
        target,
      })),
    ),
  };
}

/** A case as the sinks and documents see it, with the severity that it has through its consequences. */
export function findingOf(entry: Case, { cases, causality, wallAheadMs }: Shown): Finding {
  const { detector, symptom, target, subject } = entry;
  const { traceId, spanId } = symptom;
  return {
    code: detector.code,
    severity: severityOf(entry, causality),
    target,
    subject,
    summary: symptom.summary,
    evidence: boundEvidence(symptom.evidence),
    changed: entry.changed.map((change) => ({ ...change, at: change.at + wallAheadMs })),
    remedy: symptom.remedy ?? detector.remedy,
    docs: findingPage(detector.code),
    firstSeen: entry.firstSeen + wallAheadMs,
    lastSeen: entry.lastSeen + wallAheadMs,
    count: entry.count,
    consequences: consequencesOf(entry, cases, causality),
    witnesses: symptom.witnesses,
    ...(traceId === undefined ? {} : { traceId }),
    ...(spanId === undefined ? {} : { spanId }),
    ...(entry.isDrill ? { isDrill: true } : {}),
  };
}

/** A code, with its target where that is another one than the reader's. */
export function codeSeenFrom(entry: Case, target: string): string {
  return entry.target === target ? entry.detector.code : `${entry.detector.code}/${entry.target}`;
}

/** The severity that an alert about this case has now. */
export function severityOf(entry: Case, causality: Causality): Severity {
  return causality.severities.get(entry.key) ?? entry.settled.severity;
}

function consequencesOf(
  root: Case,
  cases: readonly Case[],
  causality: Causality,
): readonly string[] {
  const silenced = cases.filter(
    (entry) =>
      entry.stage === "active" &&
      entry.silencer?.root === root.key &&
      lastRoot(causality.roots, entry)?.key === root.key,
  );
  return [...new Set(silenced.map((entry) => codeSeenFrom(entry, root.target)))].toSorted();
}

function secondsLeft(entry: Case, { causality }: ReportOptions, settings: Settings): number {
  const left = (one: Case, elapsedMs: number) => {
    const code = settings.findings[one.target]?.[one.detector.code];
    return code === undefined ? 0 : holdOf(one, code) - elapsedMs;
  };
  const soon = causality.waiting.get(entry.key);
  const waitMs = soon === undefined ? 0 : left(soon, soon.presentMs);
  const awaitedMs = entry.awaited?.leftMs ?? 0;
  return Math.max(0, Math.ceil(Math.max(left(entry, entry.presentMs), waitMs, awaitedMs) / 1000));
}

/** Lists of at most 20 entries, texts of one line and 200 characters (findings: how to read). */
function boundEvidence(evidence: Evidence): Evidence {
  return Object.fromEntries(Object.entries(evidence).map(([key, value]) => [key, bound(value)]));
}

function bound(value: Json): Json {
  if (typeof value === "string") return value.split(/[\r\n]/, 1)[0]?.slice(0, LONGEST_TEXT) ?? "";
  if (!Array.isArray(value)) return value;
  return value.slice(0, LONGEST_LIST).map((item: Json) => bound(item));
}
