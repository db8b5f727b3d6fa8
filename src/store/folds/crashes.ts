import type { Crashes } from "../../model/facts/crashes.ts";
import { maskText } from "../../model/mask.ts";
import { defineFold, type EventOf } from "../fold.ts";
import { bounded } from "../ring.ts";

const MOST_DETECTORS = 64;
const LAST_DURATIONS = 3;
/** A run shorter than this is not worth remembering of a detector that never did wrong. */
const NOTABLE_MS = 50;

type Entry = Crashes["detectors"][string];

/**
 * Detectors that threw or were slow. One evaluation asks a detector about every target; that it threw
 * for one of them is not undone by the others of the same instant.
 */
export const crashesFold = defineFold({
  fact: "crashes",
  of: ["agent"],
  reads: ["agent/detector-crashed", "agent/detector-ran"],
  alsoReads: ["agent/started"],
  bound: "64 detectors, 3 durations each",
  maxAgeMs: Number.POSITIVE_INFINITY,
  inNewEpoch: "stays",

  fold(previous: Crashes | undefined, { event }) {
    const detectors = previous?.detectors ?? {};
    if (event.kind === "started") return previous ?? { detectors };
    const known = detectors[event.detector];
    const entry = event.kind === "detector-ran" ? ran(known, event) : crashed(known, event);
    if (entry === known && previous !== undefined) return previous;
    if (entry === undefined) return { detectors };
    const all = { ...detectors, [event.detector]: entry };
    return { detectors: bounded(all, MOST_DETECTORS, (a, b) => b.lastAt - a.lastAt) };
  },
});

function crashed(known: Entry | undefined, event: EventOf<"detector-crashed">): Entry {
  const { at, errorText } = event;
  return {
    crashes: (known?.crashes ?? 0) + 1,
    lastAt: at,
    errorText: maskText(errorText),
    isBroken: true,
    lastDurationsMs: known?.lastDurationsMs ?? [],
  };
}

function ran(known: Entry | undefined, event: EventOf<"detector-ran">): Entry | undefined {
  const { at, durationMs } = event;
  if (known === undefined && durationMs < NOTABLE_MS) return undefined;
  const before = known ?? { crashes: 0, lastAt: at, errorText: "", lastDurationsMs: [] };
  return {
    ...before,
    isBroken: known?.isBroken === true && at <= known.lastAt,
    lastDurationsMs: [...before.lastDurationsMs, durationMs].slice(-LAST_DURATIONS),
  };
}
