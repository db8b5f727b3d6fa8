import type { Severity } from "../../model/finding.ts";
import { knownValue, type TargetSnapshot } from "../../model/snapshot.ts";
import { reasonText } from "./fault-text.ts";
import type { Examination } from "./standing.ts";

/** Why a look that found nothing, or not this, is no clean bill of health. */
export interface Doubt {
  readonly text: string;
  /** Of what is suspected; absent: the target could not be examined. */
  readonly severity?: Severity;
}

/** Layers whose findings say why an examination came to nothing. */
const OF_THE_WAY: ReadonlySet<string> = new Set(["dns", "listen", "tcp", "tls", "http2"]);

/**
 * What stands between a look and a clean bill: targets that could not be examined although nothing
 * that was found says why, and what is suspected. One look knows no later, so they count now.
 */
export function doubtsOf(examination: Examination): readonly Doubt[] {
  const { settings, snapshot, report } = examination;
  const unexamined = settings.targets.flatMap(({ name }) => {
    if (isExplained(name, examination)) return [];
    const why = whyUnexamined(snapshot.targets[name]);
    return why === undefined ? [] : [{ text: `${name} ${why}` }];
  });
  const nobody = settings.targets.length === 0 ? [{ text: "no target was examined" }] : [];
  const suspected = report.pending.map(({ code, target, severity }) => ({
    text: `${code} is suspected on ${target}`,
    severity,
  }));
  return [...nobody, ...unexamined, ...suspected];
}

/**
 * Targets that could not be examined, whether or not a finding says why: no finding of a severity that
 * is let pass makes what nobody saw fine.
 */
export function unexaminedTargets({ settings, snapshot }: Examination): readonly string[] {
  const names = settings.targets.map(({ name }) => name);
  return names.filter((name) => whyUnexamined(snapshot.targets[name]) !== undefined);
}

/** A suspicion explains nothing: it may be what comes of the cause, as a full queue of a frozen app. */
function isExplained(
  target: string,
  { report: { active, suppressed }, detectors }: Examination,
): boolean {
  const ofTheWay = new Set(detectors.filter(({ layer }) => OF_THE_WAY.has(layer)).map(codeOf));
  return [...active, ...suppressed].some(
    (finding) => finding.target === target && ofTheWay.has(finding.code),
  );
}

const codeOf = ({ code }: { readonly code: string }) => code;

/** A server that answered a call was examined, even where it refused it. */
function whyUnexamined(seen: TargetSnapshot | undefined): string | undefined {
  const xray = seen === undefined ? undefined : knownValue(seen, "xray");
  if (xray === undefined) return "was not seen yet (look longer with --for)";
  const { outcome, phase, reason } = xray.latest;
  if (outcome === "passed" || (outcome === "unsupported" && phase === "rpc")) return undefined;
  const why = reason === undefined ? "" : `: ${reasonText(reason)}`;
  return `could not be examined beyond ${phase ?? "the first look"}${why}`;
}
