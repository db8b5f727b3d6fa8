import type { Xray } from "../../model/facts/xray.ts";
import type { Instant } from "../../model/time.ts";
import { type XrayReport, xraySignature } from "../../model/xray.ts";
import { definedOnly } from "../defined-only.ts";
import { defineFold, type FoldContext } from "../fold.ts";

const MAX_AGE_MS = 75_000;

/**
 * The newest X-ray, and for how long it has shown the same. SETTINGS prove that HTTP/2 was spoken: on
 * this fresh connection, or on the kept one, which is not open without them.
 */
export const xrayFold = defineFold({
  fact: "xray",
  of: ["app", "upstream"],
  source: "preflight",
  reads: ["preflight/xray"],
  bound: "one report, two limits",
  maxAgeMs: MAX_AGE_MS,
  inNewEpoch({ latest, same, lastPassedAt }: Xray): Xray {
    return { latest, same, ...NOTHING_SEEN, ...definedOnly({ lastPassedAt }) };
  },
  // A new result, and the second one that confirms it.
  isNews: (_before, after) => after.same.count <= 2,

  fold(previous, { report }, context) {
    const { settings, at, outcome } = report;
    const before = previous ?? NOTHING_SEEN;
    const next = {
      ...before,
      everHttp2: before.everHttp2 || settings !== undefined || hadConnection(context),
      latest: report,
      same: sameOn(previous, report),
      ...definedOnly({ failedBefore: failureBefore(previous) }),
      ...(outcome === "passed" ? { lastPassedAt: at } : {}),
    };
    if (settings === undefined) return next;
    const limits = [...next.lastLimits, settings.maxConcurrentStreams ?? null];
    return { ...next, lastSettings: settings, lastLimits: limits.slice(-2) };
  },
});

const NOTHING_SEEN: Pick<Xray, "everHttp2" | "lastLimits"> = { everHttp2: false, lastLimits: [] };

/** A kept connection is, or was in this epoch. */
function hadConnection(context: FoldContext): boolean {
  const kept = context.fact("kept");
  return kept !== undefined && (kept.state === "open" || kept.lost > 0);
}

function failureBefore(before: Xray | undefined): Xray["failedBefore"] {
  if (before?.latest.outcome !== "failed") return before?.failedBefore;
  return { signature: xraySignature(before.latest), at: before.latest.at };
}

function sameOn(before: Xray | undefined, report: XrayReport): Xray["same"] {
  const { at } = report;
  const isSame = before !== undefined && xraySignature(before.latest) === xraySignature(report);
  const since: Instant = isSame ? before.same.since : at;
  return { since, lastAt: at, count: isSame ? before.same.count + 1 : 1 };
}
