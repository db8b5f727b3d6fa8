import type { AppCalls, AppScrape } from "../../model/facts/app-calls.ts";
import type { DurationBuckets, MetricsObservation } from "../../model/observation.ts";
import type { StatusName } from "../../model/status.ts";
import { defineFold } from "../fold.ts";
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
  readonly processStartedAt?: number;
}

/**
 * The calls that the app itself counts, from zero at the first scrape on. A counter that went backwards,
 * another family or another process behind the same port begins the list anew.
 */
export const appCallsFold = defineFold({
  fact: "appCalls",
  of: ["app", "upstream"],
  source: "metrics",
  reads: ["metrics/scrape"],
  bound: "50 scrapes of the last 10 min, 17 codes, one histogram each",
  maxAgeMs: 37_500,
  inNewEpoch: "goes",
  tell: (state: State) => state.value,

  fold(previous: State | undefined, scrape) {
    const { at, families, processStartedAt } = scrape;
    if (families.length === 0) return undefined;
    const raw = scrapeOf(scrape);
    const before = previous !== undefined && follows(previous, scrape, raw) ? previous : undefined;
    const base = before?.base ?? raw;
    const recent = (before?.value.scrapes ?? []).filter((kept) => at - kept.at <= KEPT_MS);
    return {
      base,
      raw,
      value: { families, scrapes: pushed(recent, since(base, raw), MOST_SCRAPES) },
      ...(processStartedAt === undefined ? {} : { processStartedAt }),
    };
  },
});

function scrapeOf({ at, started, handledByCode, durations }: MetricsObservation): AppScrape {
  const cancelled = added(durations.CANCELLED, durations.DEADLINE_EXCEEDED);
  return {
    at,
    handledByCode,
    ...(started === undefined ? {} : { started }),
    ...(cancelled === undefined ? {} : { cancelledDurations: cancelled }),
  };
}

function follows(previous: State, scrape: MetricsObservation, raw: AppScrape): boolean {
  const last = previous.raw;
  const codes = Object.keys(last.handledByCode) as StatusName[];
  return (
    previous.processStartedAt === scrape.processStartedAt &&
    previous.value.families.join() === scrape.families.join() &&
    (raw.started ?? 0) >= (last.started ?? 0) &&
    codes.every((code) => countOf(raw.handledByCode, code) >= countOf(last.handledByCode, code))
  );
}

function since(base: AppScrape, raw: AppScrape): AppScrape {
  const codes = Object.keys(raw.handledByCode) as StatusName[];
  const { at, started, cancelledDurations } = raw;
  return {
    at,
    handledByCode: Object.fromEntries(
      codes.map((code) => [
        code,
        countOf(raw.handledByCode, code) - countOf(base.handledByCode, code),
      ]),
    ),
    ...(started === undefined ? {} : { started: started - (base.started ?? 0) }),
    ...(cancelledDurations === undefined
      ? {}
      : { cancelledDurations: subtracted(cancelledDurations, base.cancelledDurations) }),
  };
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
