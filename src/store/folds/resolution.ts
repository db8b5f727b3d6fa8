import type { Lookup, Resolution, SeenAddress } from "../../model/facts/resolution.ts";
import type { DnsObservation } from "../../model/observation.ts";
import type { Instant } from "../../model/time.ts";
import { defineFold } from "../fold.ts";
import { pushed } from "../ring.ts";

const MOST_LOOKUPS = 30;
const MOST_ADDRESSES = 200;
/** Absences are kept by the longest of each five minutes: six of those, and the one that ends. */
const GAP_SLOT_MS = 300_000;
const GAP_SLOTS = 6;

interface Gap {
  readonly slot: number;
  readonly ms: number;
}

interface State {
  readonly value: Resolution;
  /** Ended absences by address, newest slot last. */
  readonly gaps: Readonly<Record<string, readonly Gap[]>>;
}

/**
 * What the pod's resolver says, over time. Absence is counted between answers that held addresses:
 * a resolver that is silent takes no address away. An answer without any address is a failure here,
 * as it is for every client.
 */
export const resolutionFold = defineFold({
  fact: "resolution",
  of: ["app", "upstream"],
  source: "dns",
  reads: ["dns/lookup"],
  bound: "30 lookups, 200 addresses with 7 absences each",
  maxAgeMs: 75_000,
  inNewEpoch: "stays",
  isNews: (before, after) =>
    after.failing !== undefined ||
    before?.failing !== undefined ||
    before?.answers.join() !== after.answers.join(),
  tell: (state: State) => state.value,

  fold(previous: State | undefined, lookup, { timingTrusted, isSuspect }) {
    const before = previous?.value.name === lookup.name ? previous : undefined;
    const isAnswer = lookup.outcome === "answered" && lookup.addresses.length > 0;
    if (isAnswer) return answered(before, lookup, timingTrusted);
    return isSuspect && lookup.cause === "timeout"
      ? missed(before, lookup)
      : failed(before, lookup);
  },
});

/** No answer that we heard in time, while we were late ourselves: no failure, and no end of one. */
function missed(before: State | undefined, lookup: DnsObservation): State {
  const result = { outcome: "failed", cause: "timeout", isSuspect: true } as const;
  return { gaps: before?.gaps ?? {}, value: looked(before, lookup, result) };
}

function failed(before: State | undefined, lookup: DnsObservation): State {
  const { failing } = before?.value ?? {};
  const { at } = lookup;
  const cause = lookup.cause ?? "no-data";
  return {
    gaps: before?.gaps ?? {},
    value: {
      ...looked(before, lookup, { outcome: "failed", cause }),
      failing: {
        since: failing?.since ?? at,
        lastAt: at,
        count: (failing?.count ?? 0) + 1,
        cause,
      },
      answeredInRow: 0,
    },
  };
}

function answered(
  before: State | undefined,
  lookup: DnsObservation,
  timingTrusted: boolean,
): State {
  const { at, addresses, ttlMs = 0 } = lookup;
  const { failing: _healed, ...rest } = looked(before, lookup, {
    outcome: "answered",
    ...(timingTrusted ? {} : { isSuspect: true as const }),
    ...(lookup.unanswered === undefined ? {} : { unanswered: lookup.unanswered }),
  });
  const { seen, gaps } = seenIn(before, lookup);
  return {
    gaps,
    value: {
      ...rest,
      answers: addresses,
      answeredAt: at,
      answeredInRow: rest.answeredInRow + 1,
      seen,
      highestTtlMs: Math.max(rest.highestTtlMs, ttlMs),
    },
  };
}

/** What any lookup changes. */
function looked(
  before: State | undefined,
  lookup: DnsObservation,
  result: Pick<Lookup, "outcome" | "cause" | "isSuspect" | "unanswered">,
): Resolution {
  const { at, name, durationMs, triedNames } = lookup;
  const { answers = [], answeredInRow = 0, seen = {}, highestTtlMs = 0 } = before?.value ?? {};
  return {
    ...before?.value,
    name,
    triedNames,
    answers,
    answeredInRow,
    seen,
    highestTtlMs,
    lookups: pushed(before?.value.lookups ?? [], { at, durationMs, ...result }, MOST_LOOKUPS),
  };
}

function seenIn(
  before: State | undefined,
  { at, addresses }: DnsObservation,
): { readonly seen: Resolution["seen"]; readonly gaps: State["gaps"] } {
  const known = before?.value.seen ?? {};
  const held = new Set(addresses);
  const all = [...new Set([...addresses, ...Object.keys(known)])].map((address) => {
    const last = known[address];
    const gaps = recentGaps(before?.gaps[address] ?? [], last, { at, isHeld: held.has(address) });
    return { address, gaps, seen: seenOne(last, at, held.has(address)), longest: longestOf(gaps) };
  });
  const kept = all.toSorted((a, b) => b.seen.at - a.seen.at).slice(0, MOST_ADDRESSES);
  return {
    seen: Object.fromEntries(
      kept.map(({ address, seen, longest }) => [address, { ...seen, longestGapMs: longest }]),
    ),
    gaps: Object.fromEntries(
      kept.filter(({ gaps }) => gaps.length > 0).map(({ address, gaps }) => [address, gaps]),
    ),
  };
}

function seenOne(
  last: SeenAddress | undefined,
  at: Instant,
  isHeld: boolean,
): Omit<SeenAddress, "longestGapMs"> {
  if (last === undefined) return { at, since: at, missed: 0 };
  if (!isHeld) return { at: last.at, since: last.since, missed: last.missed + 1 };
  return { at, since: last.missed === 0 ? last.since : at, missed: 0 };
}

/** The absences that ended in the last 30 min, with the one that ends now. */
function recentGaps(
  gaps: readonly Gap[],
  last: SeenAddress | undefined,
  now: { readonly at: Instant; readonly isHeld: boolean },
): readonly Gap[] {
  const slot = Math.floor(now.at / GAP_SLOT_MS);
  const recent = gaps.filter((gap) => slot - gap.slot <= GAP_SLOTS);
  if (last === undefined || !now.isHeld || last.missed === 0) return recent;
  const inSlot = recent.find((gap) => gap.slot === slot)?.ms ?? 0;
  const ended = { slot, ms: Math.max(inSlot, now.at - last.at) };
  return [...recent.filter((gap) => gap.slot !== slot), ended];
}

function longestOf(gaps: readonly Gap[]): number {
  return gaps.reduce((longest, gap) => Math.max(longest, gap.ms), 0);
}
