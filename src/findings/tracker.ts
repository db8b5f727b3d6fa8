import type { Detector } from "../detectors/detector.ts";
import {
  type Finding,
  type FindingChange,
  type FindingsReport,
  type FindingTransition,
  severityRank,
  type Unjudged,
} from "../model/finding.ts";
import type { History } from "../model/history.ts";
import type { Ignore, Settings } from "../model/settings.ts";
import type { Snapshot } from "../model/snapshot.ts";
import type { Instant } from "../model/time.ts";
import { awaitedCauses, verdictKey } from "./awaiting.ts";
import { type Case, endOf, holdOf, type Moment, type Silencer } from "./case.ts";
import { type Causality, explain, isHeldBack, lastRoot } from "./causality.ts";
import { changesSince } from "./changes.ts";
import { type DrillOrder, type DrillRefusal, isDrillOver, openDrill } from "./drill.ts";
import { ignoreOf, isQuiet } from "./quiet.ts";
import { buildReport, codeSeenFrom, findingOf, severityOf } from "./report.ts";
import { sight } from "./sight.ts";
import { unjudgedOf, type Verdict } from "./verdict.ts";

const REMIND_MS = 3_600_000;
/** A reason may be as much older than its symptom: windows and absences take minutes. */
const LOOK_BACK_MS = 600_000;
/** Resolved findings that are still shown, and lives whose end is remembered. */
const RECENT = 50;
const REMEMBERED = 500;

export interface TrackerUpdate extends Moment {
  readonly verdicts: readonly Verdict[];
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  readonly history: History;
}

type Ending = NonNullable<FindingChange["why"]>;

/**
 * Gives symptoms a life, from `pending` to `resolved` (findings: three values and clearing); with the
 * store the only state of judgement.
 *
 * Each update has four steps: what was judged moves the clock of each case; what is over leaves; what
 * explains what is worked out from those that are left; and each case is told as it now stands. Time is
 * the agent's own; what is told shows it by the wall clock.
 */
export class Tracker {
  readonly #detectors: ReadonlyMap<string, Detector>;
  readonly #cases = new Map<string, Case>();
  /** When each identity was last resolved: then its target was well. */
  readonly #resolvedAt = new Map<string, Instant>();
  #recent: readonly (Finding & { readonly resolvedAt: Instant })[] = [];
  #unjudged: readonly Unjudged[] = [];
  #causality: Causality = { roots: new Map(), waiting: new Map(), severities: new Map() };
  #updatedMs: number | undefined;
  /** How far the wall clock was ahead of our own time at the last update. */
  #wallAheadMs = 0;

  constructor(detectors: readonly Detector[]) {
    this.#detectors = new Map(detectors.map((detector) => [detector.code, detector]));
  }

  /** One evaluation; yields what the sinks must hear, ends before beginnings. */
  update(update: TrackerUpdate): readonly FindingChange[] {
    const { verdicts, settings, now } = update;
    const elapsedMs = this.#pass(update);
    this.#unjudged = verdicts.flatMap(unjudgedOf);
    sight({ ...update, cases: this.#cases, detectors: this.#detectors, elapsedMs });
    const ended = this.#all().flatMap((entry) => this.#endIfOver(entry, update));

    this.#causality = explain(this.#explicable(settings, now), settings);
    const released = this.#all().flatMap((entry) => this.#silence(entry, update));
    const judged = new Map(
      verdicts.map((verdict) => [verdictKey(verdict.target, verdict.code), verdict]),
    );
    for (const entry of this.#cases.values()) {
      entry.awaited = undefined;
      if (this.#isDue(entry, update) && !this.#waits(entry, { update, judged, elapsedMs }))
        this.#activate(entry, update);
    }
    // What has become active may explain what became active with it, before anyone is told.
    this.#causality = explain(this.#explicable(settings, now), settings);
    const silenced = this.#all().flatMap((entry) => this.#silence(entry, update));
    return [
      ...ended,
      ...released,
      ...silenced,
      ...this.#all().flatMap((one) => this.#tell(one, update)),
    ];
  }

  report(options: {
    readonly snapshot: Snapshot;
    readonly settings: Settings;
    readonly now: Instant;
  }): FindingsReport {
    return buildReport({
      ...options,
      cases: this.#all(),
      causality: this.#causality,
      recent: this.#recent,
      unjudged: this.#unjudged,
    });
  }

  /** Something is pending or active, a drill among it: its next step is a matter of time. */
  get hasOpen(): boolean {
    return this.#cases.size > 0;
  }

  /** Codes of a target that are pending or active: their baselines are frozen. */
  openCodes(target: string): ReadonlySet<string> {
    const open = this.#all().filter((entry) => entry.target === target && !entry.isDrill);
    return new Set(open.map((entry) => entry.detector.code));
  }

  /** Opens a marked, false finding that resolves itself after a minute, or says why there is none. */
  drill(order: DrillOrder, settings: Settings, moment: Moment): FindingChange | DrillRefusal {
    const cases = this.#all();
    const entry = openDrill(order, { detectors: this.#detectors, cases, settings, moment });
    if ("refused" in entry) return entry;
    this.#cases.set(entry.key, entry);
    return this.#change(entry, moment.now, { transition: "opened" });
  }

  /** How long the update before is ago. */
  #pass({ monotonicMs, snapshot }: TrackerUpdate): number {
    const elapsedMs = monotonicMs - (this.#updatedMs ?? monotonicMs);
    this.#updatedMs = monotonicMs;
    this.#wallAheadMs = snapshot.wallAheadMs ?? 0;
    return elapsedMs;
  }

  #all(): readonly Case[] {
    return [...this.#cases.values()];
  }

  /** A drill and an ignored finding neither explain nor are explained: no alert hides behind them. */
  #explicable(settings: Settings, now: Instant): readonly Case[] {
    return this.#all().filter(
      (entry) => !entry.isDrill && this.#ignoreOf(entry, settings, now) === undefined,
    );
  }

  /** Its end is a date of the calendar. */
  #ignoreOf(entry: Case, settings: Settings, now: Instant): Ignore | undefined {
    return ignoreOf(entry, settings, now + this.#wallAheadMs);
  }

  #change(entry: Case, at: Instant, what: Omit<FindingChange, "at" | "finding">): FindingChange {
    const wallAheadMs = this.#wallAheadMs;
    const shown = { cases: this.#all(), causality: this.#causality, wallAheadMs };
    return { ...what, at: at + wallAheadMs, finding: findingOf(entry, shown) };
  }

  #endIfOver(entry: Case, update: TrackerUpdate): readonly FindingChange[] {
    const ending = endingOf(entry, update);
    return ending === undefined ? [] : this.#end(entry, update.now, ending);
  }

  /** The sinks hear of an end if they heard of the beginning. */
  #end(entry: Case, now: Instant, why: Ending): readonly FindingChange[] {
    this.#cases.delete(entry.key);
    if (!entry.isHeard) return [];
    const resolved = this.#change(entry, now, { transition: "resolved", why });
    this.#recent = [{ ...resolved.finding, resolvedAt: resolved.at }, ...this.#recent].slice(
      0,
      RECENT,
    );
    this.#resolvedAt.delete(entry.key);
    this.#resolvedAt.set(entry.key, now);
    for (const oldest of this.#resolvedAt.keys())
      if (this.#resolvedAt.size > REMEMBERED) this.#resolvedAt.delete(oldest);
    return [resolved];
  }

  /** Sets what silences the case now. Once released, it has its own hold before it. */
  #silence(entry: Case, update: TrackerUpdate): readonly FindingChange[] {
    const before = entry.silencer;
    entry.silencer = this.#silencerOf(entry, update);
    if (entry.silencer !== undefined) {
      if (before !== undefined || entry.told === undefined) return [];
      const { because } = entry.silencer;
      return [this.#change(entry, update.now, { transition: "suppressed", because })];
    }
    if (before === undefined) return [];
    if (entry.status === "absent") return this.#end(entry, update.now, "cleared");
    entry.stage = "pending";
    entry.presentMs = 0;
    entry.waitedMs = 0;
    entry.told = undefined;
    return [];
  }

  #silencerOf(entry: Case, { settings, now }: TrackerUpdate): Silencer | undefined {
    const ignore = this.#ignoreOf(entry, settings, now);
    if (ignore !== undefined) return { because: `ignored: ${ignore.reason}` };
    const root = lastRoot(this.#causality.roots, entry);
    return root && { because: codeSeenFrom(root, entry.target), root: root.key };
  }

  #isDue(entry: Case, { snapshot, settings, now }: TrackerUpdate): boolean {
    if (entry.stage === "active" || entry.status !== "present") return false;
    if (entry.symptom.isSuspicion === true) return false;
    if (isQuiet(snapshot.targets[entry.target], now)) return false;
    const code = settings.findings[entry.target]?.[entry.detector.code];
    return code !== undefined && entry.presentMs >= holdOf(entry, code);
  }

  #waits(entry: Case, { update, judged, elapsedMs }: Waiting): boolean {
    if (entry.silencer !== undefined) return false;
    entry.awaited = awaitedCauses(entry, judged, update.monotonicMs);
    if (entry.awaited !== undefined) return true;
    if (!isHeldBack(entry, this.#causality, update.settings)) return false;
    entry.waitedMs += elapsedMs;
    return true;
  }

  #activate(entry: Case, { history }: TrackerUpdate): void {
    const resolvedAt = this.#resolvedAt.get(entry.key) ?? Number.NEGATIVE_INFINITY;
    const goodAt = Math.max(resolvedAt, entry.firstSeen - LOOK_BACK_MS);
    entry.stage = "active";
    entry.changed = changesSince(history.targets[entry.target] ?? [], goodAt);
  }

  #tell(entry: Case, { now, monotonicMs }: Moment): readonly FindingChange[] {
    if (entry.stage === "pending" || entry.silencer !== undefined || entry.isDrill) return [];
    const severity = severityOf(entry, this.#causality);
    const transition = transitionOf(entry, severityRank(severity), monotonicMs);
    const lastMs = entry.told?.atMs ?? monotonicMs;
    entry.told = { atMs: transition === undefined ? lastMs : monotonicMs, severity };
    entry.isHeard = true;
    return transition === undefined ? [] : [this.#change(entry, now, { transition })];
  }
}

interface Waiting {
  readonly update: TrackerUpdate;
  readonly judged: ReadonlyMap<string, Verdict>;
  readonly elapsedMs: number;
}

export function createTracker(options: { readonly detectors: readonly Detector[] }): Tracker {
  return new Tracker(options.detectors);
}

function endingOf(entry: Case, update: TrackerUpdate): Ending | undefined {
  const { snapshot, settings, now, monotonicMs } = update;
  if (entry.isDrill) return isDrillOver(entry, monotonicMs) ? "cleared" : undefined;
  const target = snapshot.targets[entry.target];
  const code = settings.findings[entry.target]?.[entry.detector.code];
  if (target === undefined || code === undefined) return "target-removed";
  if (!code.enabled) return "disabled";
  if (entry.stage === "pending" && isQuiet(target, now)) return "cleared";
  return endOf(entry, code, target.epoch);
}

function transitionOf(
  entry: Case,
  rank: number,
  monotonicMs: number,
): FindingTransition | undefined {
  if (entry.told === undefined) return "opened";
  if (rank > severityRank(entry.told.severity)) return "escalated";
  const isDue = entry.status === "present" && monotonicMs - entry.told.atMs >= REMIND_MS;
  return isDue ? "reminded" : undefined;
}
