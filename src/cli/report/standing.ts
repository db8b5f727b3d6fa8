import type { Detector } from "../../detectors/detector.ts";
import { appliesTo } from "../../findings/unjudged.ts";
import type { FindingsReport, Unjudged } from "../../model/finding.ts";
import type { Settings } from "../../model/settings.ts";
import { knownValue, type Snapshot, type TargetSnapshot } from "../../model/snapshot.ts";
import type { Target } from "../../model/target.ts";

/** All that one look yielded. */
export interface Examination {
  readonly report: FindingsReport;
  readonly snapshot: Snapshot;
  readonly settings: Settings;
  readonly detectors: readonly Detector[];
  /** How long was looked; absent for a saved snapshot. */
  readonly lookedMs?: number;
}

/**
 * Where each code that is switched on stands on one target: in one of these lists, and in one only.
 * What was found, explained or suspected stands in the report.
 */
export interface Standing {
  readonly target: Target;
  readonly seen: TargetSnapshot;
  /** Judged, and absent. */
  readonly well: readonly Detector[];
  readonly unjudged: readonly Unjudged[];
  /** It cannot occur here, with the reason. */
  readonly foreign: readonly { readonly code: string; readonly because: string }[];
}

/** Where the codes stand on each target that was watched. */
export function standingsOf(examination: Examination): readonly Standing[] {
  return examination.settings.targets.flatMap((target) => {
    const seen = examination.snapshot.targets[target.name];
    return seen === undefined ? [] : [standingOf(target, seen, examination)];
  });
}

function standingOf(
  target: Target,
  seen: TargetSnapshot,
  { report, settings, detectors }: Examination,
): Standing {
  const isHere = (one: { readonly target: string }) => one.target === target.name;
  const present = new Set(
    [...report.active, ...report.pending, ...report.suppressed].filter(isHere).map(codeOf),
  );
  const blind = report.unjudged.filter(isHere);
  const on = detectors.filter(
    ({ code, layer }) =>
      layer !== "agent" && settings.findings[target.name]?.[code]?.enabled === true,
  );
  const absent = on.filter(({ code }) => !present.has(code));
  const foreign = absent.flatMap((detector) => {
    const because = whyForeign(detector, target, seen);
    return because === undefined ? [] : [{ code: detector.code, because }];
  });
  const elsewhere = new Set([...foreign, ...blind].map(codeOf));
  const rest = absent.filter(({ code }) => !elsewhere.has(code));
  const beyond = isReached(seen) ? [] : rest.filter(({ layer }) => !BEFORE_TCP.has(layer));
  const unseen = beyond.map(({ code }) => ({
    target: target.name,
    code,
    because: "no connection was had to look at",
  }));
  return {
    target,
    seen,
    well: rest.filter((detector) => !beyond.includes(detector)),
    unjudged: [
      ...blind.filter(
        ({ code }) => !present.has(code) && !foreign.some((one) => one.code === code),
      ),
      ...unseen,
    ],
    foreign,
  };
}

/** What can be told of a target that nobody could connect to. */
const BEFORE_TCP: ReadonlySet<Detector["layer"]> = new Set(["dns", "listen"]);

/** A connection was made, by the X-ray or before. */
function isReached(seen: TargetSnapshot): boolean {
  const phase = knownValue(seen, "xray")?.latest.phase;
  return (phase !== "dns" && phase !== "tcp") || knownValue(seen, "kept")?.state === "open";
}

const codeOf = ({ code }: { readonly code: string }) => code;

/** It judges whether there should be TLS; the others of its layer judge the TLS that there is. */
const ABOUT_THE_PROTOCOL = "tls-plaintext-mismatch";

function whyForeign(detector: Detector, target: Target, seen: TargetSnapshot): string | undefined {
  if (!appliesTo(detector, seen))
    return `about ${target.role === "app" ? "upstreams" : "apps"} alone`;
  if (detector.layer === "dns") return whyNotLookedUp(target.endpoint);
  if (detector.layer !== "tls" || detector.code === ABOUT_THE_PROTOCOL) return undefined;
  return target.tls?.mode === "tls" || !isPlaintext(seen) ? undefined : "no TLS is spoken";
}

function whyNotLookedUp(endpoint: Target["endpoint"]): string | undefined {
  if (endpoint.kind === "unix") return "the address is a unix socket";
  if (endpoint.kind === "ip") return "the address is a literal";
  return endpoint.host.toLowerCase() === "localhost" ? "localhost is not looked up" : undefined;
}

/** It got beyond TCP, and no TLS was in it. */
function isPlaintext(seen: TargetSnapshot): boolean {
  const xray = knownValue(seen, "xray")?.latest;
  return (
    xray !== undefined && xray.tls === undefined && xray.phase !== "dns" && xray.phase !== "tcp"
  );
}
