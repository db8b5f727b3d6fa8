import type { Expectation } from "../../model/facts/expectation.ts";
import type { ProbeHistory, ProbeRun, Probes } from "../../model/facts/probes.ts";
import { isOurFault, MOST_RUNS } from "../../model/failed-runs.ts";
import type { ProbeObservation } from "../../model/observation.ts";
import type { Instant } from "../../model/time.ts";
import { definedOnly } from "../defined-only.ts";
import { defineFold, type FoldContext } from "../fold.ts";
import { pushed } from "../ring.ts";

/** A share of the interval by which a run may begin late and still tell of the server. */
const LATE_RATIO = 0.2;
/** Cron states no interval: a probe of each day is the rarest that is thought of. */
const CRON_AGE_MS = 2.5 * 86_400_000;
const AGE_FACTOR = 2.5;

/** The configured probes, each with its last runs. One that stopped running is taken out. */
export const probesFold = defineFold({
  fact: "probes",
  of: ["app", "upstream"],
  source: "probe",
  reads: ["probe/run"],
  alsoReads: ["config/configured"],
  bound: "20 runs of each configured probe",
  // The oldest that any of them may grow; each one's own age is that of `prune`.
  maxAgeMs: CRON_AGE_MS,
  inNewEpoch: "stays",
  isNews: hasNews,
  prune: withoutStale,

  fold(previous: Probes | undefined, input, context) {
    const probes = previous?.probes ?? {};
    if (input.kind === "configured") {
      return previous === undefined ? undefined : { probes: configured(probes, input.expectation) };
    }
    return { probes: { ...probes, [input.probe]: ran(probes[input.probe], input, context) } };
  },
});

function hasNews(before: Probes | undefined, after: Probes): boolean {
  return Object.entries(after.probes).some(([name, { runs }]) => {
    const last = before?.probes[name]?.runs;
    if (last === runs) return false;
    const outcome = runs.at(-1)?.outcome;
    return outcome === "failed" || outcome !== last?.at(-1)?.outcome;
  });
}

function withoutStale(value: Probes, now: Instant): Probes {
  const entries = Object.entries(value.probes);
  const young = entries.filter(([, { runs, everyMs }]) => {
    const maxAgeMs = everyMs === undefined ? CRON_AGE_MS : AGE_FACTOR * everyMs;
    return now - (runs.at(-1)?.at ?? now) <= maxAgeMs;
  });
  return young.length === entries.length ? value : { probes: Object.fromEntries(young) };
}

function configured(probes: Probes["probes"], expectation: Expectation): Probes["probes"] {
  const entries = expectation.probes.flatMap((probe) => {
    const history = probes[probe.name];
    // Another method is another probe, whatever its name.
    return history?.method === probe.method
      ? [[probe.name, { ...history, ...plannedOf(probe) }] as const]
      : [];
  });
  return Object.fromEntries(entries);
}

function plannedOf(probe: Expectation["probes"][number]): Partial<ProbeHistory> {
  const { everyMs, objectiveMs, deadlineMs, hasCredentials } = probe;
  return {
    deadlineMs,
    hasCredentials,
    ...definedOnly({ everyMs, objectiveMs }),
  };
}

function ran(
  before: ProbeHistory | undefined,
  input: ProbeObservation,
  context: FoldContext,
): ProbeHistory {
  const { at, method, connection, deadlineMs } = input;
  const planned = context.fact("expectation")?.probes.find(({ name }) => name === input.probe);
  const run = runOf(input, isLate(input, planned?.everyMs) || !context.timingTrusted);
  return {
    method,
    connection,
    deadlineMs,
    hasCredentials: false,
    ...(planned === undefined ? {} : plannedOf(planned)),
    runs: pushed(before?.runs ?? [], run, MOST_RUNS),
    ...definedOnly({
      failedInRow: failedInRow(before, run),
      isUnary: isUnary(method, context),
      lastOkAt: input.outcome === "passed" ? at : before?.lastOkAt,
      contract: contractAfter(before, input),
    }),
  };
}

function failedInRow(before: ProbeHistory | undefined, run: ProbeRun): number | undefined {
  if (run.outcome !== "failed") return undefined;
  const known = before?.failedInRow;
  return isOurFault(run) ? known : (known ?? 0) + 1;
}

/** A run that failed before the server was asked says nothing of what it describes. */
function contractAfter(before: ProbeHistory | undefined, input: ProbeObservation) {
  return input.contract ?? (input.outcome === "failed" ? before?.contract : undefined);
}

function isLate({ scheduleLagMs }: ProbeObservation, everyMs: number | undefined): boolean {
  return everyMs !== undefined && scheduleLagMs > LATE_RATIO * everyMs;
}

function isUnary(method: string, context: FoldContext): boolean | undefined {
  const shape = context.fact("services")?.methods?.find(({ name }) => name === method);
  return shape === undefined ? undefined : shape.kind === "unary";
}

function runOf(input: ProbeObservation, isSuspect: boolean): ProbeRun {
  const { at, outcome, phase, reason, status, statusText, durationMs, phaseMs } = input;
  const { assertion, actual, isFirstOnChannel, address, metadata, traceId, spanId } = input;
  return {
    at,
    outcome,
    ms: durationMs,
    phaseMs,
    isFirstOnChannel,
    isSuspect,
    traceId,
    spanId,
    ...definedOnly({ phase, reason, status, statusText, assertion, actual, address, metadata }),
  };
}
