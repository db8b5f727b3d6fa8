import type { Xray } from "../../model/facts/xray.ts";
import type { Instant } from "../../model/time.ts";
import { type XrayReport, xraySignature } from "../../model/xray.ts";
import { defineFold } from "../fold.ts";

const MAX_AGE_MS = 75_000;

/**
 * The newest X-ray, and for how long it has shown the same. SETTINGS prove that HTTP/2 was spoken,
 * on a fresh connection and on the kept one alike.
 */
export const xrayFold = defineFold({
  fact: "xray",
  of: ["app", "upstream"],
  source: "preflight",
  reads: ["preflight/xray"],
  alsoReads: ["connection/settings"],
  bound: "one report, two limits",
  maxAgeMs: MAX_AGE_MS,
  inNewEpoch({ latest, same, lastPassedAt }: Xray): Xray {
    const passed = lastPassedAt === undefined ? {} : { lastPassedAt };
    return { latest, same, everHttp2: false, lastLimits: [], ...passed };
  },
  // A new result, and the second one that confirms it.
  isNews: (before, after) => after.same.count <= 2 && before?.latest !== after.latest,

  fold(previous, input) {
    if (input.kind === "settings") {
      return previous === undefined ? undefined : { ...previous, everHttp2: true };
    }
    return reported(previous, input.report);
  },
});

function reported(before: Xray | undefined, report: XrayReport): Xray {
  const { settings, at } = report;
  const next = {
    ...(before ?? NOTHING_SEEN),
    latest: report,
    same: sameOn(before, report),
    ...(report.outcome === "passed" ? { lastPassedAt: at } : {}),
  };
  if (settings === undefined) return next;
  const limits = [...next.lastLimits, settings.maxConcurrentStreams ?? null];
  return { ...next, everHttp2: true, lastSettings: settings, lastLimits: limits.slice(-2) };
}

const NOTHING_SEEN: Pick<Xray, "everHttp2" | "lastLimits"> = { everHttp2: false, lastLimits: [] };

function sameOn(before: Xray | undefined, report: XrayReport): Xray["same"] {
  const { at } = report;
  const isSame = before !== undefined && xraySignature(before.latest) === xraySignature(report);
  const since: Instant = isSame ? before.same.since : at;
  return { since, lastAt: at, count: isSame ? before.same.count + 1 : 1 };
}
