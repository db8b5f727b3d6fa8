import type { Xray } from "../../model/facts/xray.ts";
import type { Instant } from "../../model/time.ts";
import { type XrayReport, xraySignature } from "../../model/xray.ts";
import { definedOnly } from "../defined-only.ts";
import { defineFold, type FoldContext } from "../fold.ts";

const MAX_AGE_MS = 75_000;
const MOST_LOOKED = 64;

/**
 * The newest X-ray, and for how long it has shown the same. SETTINGS prove that HTTP/2 was spoken: on
 * this fresh connection, or on the kept one, which is not open without them.
 */
export const xrayFold = defineFold({
  fact: "xray",
  of: ["app", "upstream"],
  source: "preflight",
  reads: ["preflight/xray"],
  bound: "one report, two limits, 64 addresses",
  maxAgeMs: MAX_AGE_MS,
  inNewEpoch({ latest, same, lastPassedAt, verified }: Xray): Xray {
    return { latest, same, ...NOTHING_SEEN, ...definedOnly({ lastPassedAt, verified }) };
  },
  // A new result, the second one that confirms it, and an address that was not looked at before.
  isNews: (before, after) =>
    after.same.count <= 2 || (before?.looked ?? []).length !== (after.looked ?? []).length,

  fold(previous, { report }, context) {
    const { settings, at, outcome } = report;
    const before: Partial<Xray> & typeof NOTHING_SEEN = previous ?? NOTHING_SEEN;
    const next = {
      ...before,
      everHttp2: before.everHttp2 || settings !== undefined || hadConnection(context),
      latest: report,
      same: sameOn(previous, report),
      ...definedOnly({ failedBefore: failureBefore(previous) }),
      ...(outcome === "passed" ? { lastPassedAt: at } : {}),
      ...lookedAt(before.looked, report),
      ...verifiedBy(report),
    };
    if (settings === undefined) return next;
    const limits = [...next.lastLimits, settings.maxConcurrentStreams ?? null];
    return { ...next, lastSettings: settings, lastLimits: limits.slice(-2) };
  },
});

const NOTHING_SEEN: Pick<Xray, "everHttp2" | "lastLimits"> = { everHttp2: false, lastLimits: [] };

function verifiedBy({ tls }: XrayReport): Pick<Xray, "verified"> {
  const [leaf] = tls?.chain ?? [];
  if (leaf === undefined || tls?.path !== "ok") return {};
  return { verified: { fingerprint: leaf.fingerprint, sent: tls.sentCertificates } };
}

/** A kept connection is, or was in this epoch. */
function hadConnection(context: FoldContext): boolean {
  const kept = context.fact("kept");
  return kept !== undefined && (kept.state === "open" || kept.lost > 0);
}

/** Of a name: the address that was looked through, and those that did not take us. */
function lookedAt(
  before: Xray["looked"] = [],
  { addressCount, dials }: XrayReport,
): Pick<Xray, "looked"> {
  if (addressCount === undefined) return {};
  const used = dials.at(-1);
  const seen = dials.filter((dial) => dial === used || dial.outcome !== "connected");
  const looked = new Set([...before, ...seen.map(({ address }) => address)]);
  return { looked: [...looked].slice(-MOST_LOOKED) };
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
