import { handledCalls } from "../../model/call-series.ts";
import type { AppCalls, AppScrape } from "../../model/facts/app-calls.ts";
import type { DurationBuckets } from "../../model/method-counts.ts";
import type { MetricsObservation, ProbeObservation } from "../../model/observation.ts";
import type { StatusName } from "../../model/status.ts";
import { addedAnswered } from "../answered-calls.ts";
import { definedOnly } from "../defined-only.ts";
import { faultyMethods } from "../faulty-methods.ts";
import { defineFold } from "../fold.ts";
import { addedProven } from "../proven-durations.ts";
import { pushed } from "../ring.ts";

const MOST_SCRAPES = 50;
const KEPT_MS = 600_000;

type ByCode = AppScrape["handledByCode"];

interface State {
  readonly value: AppCalls;
  /** The first scrape: what was before it is not judged. */
  readonly base: AppScrape;
  /** The newest one, as scraped. */
  readonly raw: AppScrape;
  readonly methods: MetricsObservation["methods"];
  /** Calls of our own probes since the first scrape, by the status that they ended with. */
  readonly own: ByCode;
  readonly processStartedAt?: number;
  /** What was given up when the counters began anew. */
  readonly left?: Life;
}

/** As far as it can be told whose counters they are. */
type Life = Pick<State, "raw" | "processStartedAt"> & { readonly families: readonly string[] };

/**
 * The calls that the app itself counts, from zero at the first scrape on, without those of our probes. A
 * counter that went backwards, another family or another process behind the same port begins anew; so do
 * workers that answer at one port in turn, whose calls cannot be told from each other's.
 */
export const appCallsFold = defineFold({
  fact: "appCalls",
  of: ["app", "upstream"],
  source: "metrics",
  reads: ["metrics/scrape"],
  alsoReads: ["probe/run"],
  bound:
    "50 scrapes of the last 10 min, 17 codes, one histogram, 5 faulty methods each; the newest counts of 200 methods",
  maxAgeMs: 37_500,
  inNewEpoch: "goes",
  tell: (state: State) => state.value,

  fold(previous: State | undefined, input) {
    if (input.kind === "run") return previous && withOwn(previous, input);
    return input.families.length === 0 ? undefined : scraped(previous, input);
  },
});

function withOwn(state: State, { status, phase }: ProbeObservation): State {
  const isAnswered = phase === undefined || phase === "rpc" || phase === "assert";
  if (status === undefined || !isAnswered) return state;
  return { ...state, own: { ...state.own, [status]: countOf(state.own, status) + 1 } };
}

function scraped(previous: State | undefined, scrape: MetricsObservation): State {
  const { at, families, methods, processStartedAt } = scrape;
  const told = scrapeOf(scrape);
  const before = previous && goesOn(previous, scrape, told) ? previous : undefined;
  const raw = { ...told, ...addedByMethods(before, scrape) };
  const { base = raw, own = {}, value = NOTHING } = before ?? {};
  const recent = value.scrapes.filter((kept) => at - kept.at <= KEPT_MS);
  return {
    base,
    raw,
    methods,
    own,
    value: { families, scrapes: pushed(recent, since(base, raw, own), MOST_SCRAPES) },
    ...definedOnly({ processStartedAt, left: before ? before.left : leftBy(previous) }),
  };
}

/** Another worker's counters may lie above as well: then the scrape is of the nearer one. */
function goesOn(previous: State, scrape: MetricsObservation, told: AppScrape): boolean {
  const { left, raw } = previous;
  const isBack =
    left !== undefined && follows(left, scrape, told) && handledCalls(left.raw) > handledCalls(raw);
  return !isBack && follows(lifeOf(previous), scrape, told);
}

function leftBy(previous: State | undefined): Life | undefined {
  return previous && lifeOf(previous);
}

function lifeOf({ raw, value, processStartedAt }: State): Life {
  return { raw, families: value.families, ...definedOnly({ processStartedAt }) };
}

const NOTHING: AppCalls = { families: [], scrapes: [] };

/** What the methods' counts prove, added to what they did before. */
function addedByMethods(before: State | undefined, { answered, methods }: MetricsObservation) {
  const last = before?.raw;
  return definedOnly({
    answered: answered ?? addedAnswered(last?.answered, before?.methods, methods),
    provenDurations: addedProven(last?.provenDurations, before?.methods, methods),
    faults: before && faultyMethods(before.methods, methods),
  });
}

function scrapeOf(scrape: MetricsObservation): AppScrape {
  const { at, started, inFlight, handledByCode, durations, unregistered } = scrape;
  const cancelledDurations = added(durations.CANCELLED, durations.DEADLINE_EXCEEDED);
  return {
    at,
    handledByCode,
    ...definedOnly({ started, inFlight, unregistered, cancelledDurations }),
  };
}

function follows(life: Life, scrape: MetricsObservation, raw: AppScrape): boolean {
  const last = life.raw;
  const codes = Object.keys(last.handledByCode) as StatusName[];
  return (
    life.processStartedAt === scrape.processStartedAt &&
    life.families.join() === scrape.families.join() &&
    (raw.started ?? 0) >= (last.started ?? 0) &&
    codes.every((code) => countOf(raw.handledByCode, code) >= countOf(last.handledByCode, code))
  );
}

function since(base: AppScrape, raw: AppScrape, own: ByCode): AppScrape {
  const { at, provenDurations, faults } = raw;
  const unregistered = raw.unregistered && raw.unregistered - (base.unregistered ?? 0);
  const answered = raw.answered && gainedOf(raw.answered, base.answered ?? {});
  const cancelledDurations =
    raw.cancelledDurations && subtracted(raw.cancelledDurations, base.cancelledDurations);
  return {
    at,
    handledByCode: withoutOwn(gainedOf(raw.handledByCode, base.handledByCode), own),
    ...startedSince(base, raw, handledCalls({ handledByCode: own })),
    ...definedOnly({ answered, unregistered, cancelledDurations, provenDurations, faults }),
  };
}

function gainedOf(after: ByCode, before: ByCode): ByCode {
  const codes = Object.keys(after) as StatusName[];
  const gained = codes.map((code) => [
    code,
    Math.max(0, countOf(after, code) - countOf(before, code)),
  ]);
  return Object.fromEntries(gained);
}

function startedSince(base: AppScrape, raw: AppScrape, ours: number) {
  const { started, inFlight } = raw;
  if (started === undefined) return definedOnly({ inFlight });
  return {
    started: Math.max(0, started - (base.started ?? 0) - ours),
    inFlight: Math.max(0, started - handledCalls(raw)),
  };
}

/** A call of ours past its deadline is, for the server, cancelled or expired: whichever came first. */
function withoutOwn(counts: ByCode, own: ByCode): ByCode {
  const expired = countOf(own, "DEADLINE_EXCEEDED");
  const asCancelled = Math.max(0, expired - countOf(counts, "DEADLINE_EXCEEDED"));
  const all = { ...own, CANCELLED: countOf(own, "CANCELLED") + asCancelled };
  const codes = Object.keys(counts) as StatusName[];
  return Object.fromEntries(
    codes.map((code) => [code, Math.max(0, countOf(counts, code) - countOf(all, code))]),
  );
}

function countOf(handled: ByCode, code: StatusName): number {
  return handled[code] ?? 0;
}

/** Two histograms of one family have the same bounds; where they do not, the fuller one speaks. */
function added(
  a: DurationBuckets | undefined,
  b: DurationBuckets | undefined,
): DurationBuckets | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  if (a.upperMs.join() !== b.upperMs.join()) {
    return (a.counts.at(-1) ?? 0) >= (b.counts.at(-1) ?? 0) ? a : b;
  }
  return { upperMs: a.upperMs, counts: a.counts.map((count, i) => count + (b.counts[i] ?? 0)) };
}

function subtracted(a: DurationBuckets, b: DurationBuckets | undefined): DurationBuckets {
  if (b === undefined || a.upperMs.join() !== b.upperMs.join()) return a;
  const counts = a.counts.map((count, i) => Math.max(0, count - (b.counts[i] ?? 0)));
  return { upperMs: a.upperMs, counts };
}
