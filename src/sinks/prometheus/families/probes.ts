import type { ProbeObservation } from "../../../model/observation.ts";
import type { Reason } from "../../../model/reason.ts";
import { knownValue } from "../../../model/snapshot.ts";
import {
  type Family,
  type Feed,
  type Labels,
  type Plan,
  PREFIX,
  type Sample,
  type Scrape,
  seconds,
} from "../family.ts";
import { fromTargets, PerTarget } from "../per-target.ts";

/** From a loopback call to one that has run into its deadline. */
const DURATION_BUCKETS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** The reasons that a probe meets first; the others appear when they are met. */
const LIKELY_REASONS: readonly Reason[] = ["status", "deadline", "assertion", "refused", "other"];

function everyProbe({ settings }: Plan): readonly Labels[] {
  return settings.probes.map(({ name, target }) => ({ target, probe: name }));
}

const labelsOf = ({ target, probe }: ProbeObservation) => ({ target, probe });

/** The run's ids, so that a bucket leads to its trace; only where the trace was sampled. */
function exemplarOf({ isSampled, traceId, spanId }: ProbeObservation): Pick<Sample, "exemplar"> {
  return isSampled ? { exemplar: { trace_id: traceId, span_id: spanId } } : {};
}

/** Feeds a family from runs, each giving one sample or none. */
function fromRuns(
  read: (run: ProbeObservation) => Sample | undefined,
): NonNullable<Feed["observe"]> {
  return (observation) => {
    const sample = observation.kind === "run" ? read(observation) : undefined;
    return sample === undefined ? [] : [sample];
  };
}

/** A value of each probe's newest run, while the probe is configured, as the scrape shows it. */
function newestRun(
  read: (run: ProbeObservation) => number | undefined,
  show: (told: number, scrape: Scrape) => number = (told) => told,
): () => Feed {
  return () => {
    const newest = new PerTarget<ReadonlyMap<string, number>>();
    return {
      observe(observation) {
        const run = observation.kind === "run" ? observation : undefined;
        const told = run && read(run);
        if (run === undefined || told === undefined) return [];
        const others = newest.get(run.target) ?? new Map<string, number>();
        newest.set(run.target, new Map([...others, [run.probe, told]]));
        return [];
      },
      read(scrape) {
        newest.keepOnly(scrape);
        return everyProbe(scrape).flatMap((labels) => {
          const told = newest.get(labels["target"] ?? "")?.get(labels["probe"] ?? "");
          return told === undefined ? [] : [{ labels, value: show(told, scrape) }];
        });
      },
    };
  };
}

export const PROBE_FAMILIES: readonly Family[] = [
  {
    name: `${PREFIX}probe_success`,
    help: "1 if the probe's newest run passed, 0 if it failed. Absent while the server cannot be asked.",
    type: "gauge",
    labels: ["target", "probe"],
    inDefaultPod: 0,
    perProbe: 1,
    from: () => ({
      read: fromTargets((watched, target, scrape) =>
        everyProbe(scrape).flatMap(({ target: of, probe = "" }) => {
          const run = knownValue(watched, "probes")?.probes[probe]?.runs.at(-1);
          if (of !== target.name || run === undefined || run.outcome === "unsupported") return [];
          return [{ labels: { probe }, value: Number(run.outcome === "passed") }];
        }),
      ),
    }),
  },
  {
    name: `${PREFIX}probe_runnable`,
    help: "0 if the probe's newest run could not be made: the server has no such method, gives no types, or refuses our credentials, or the request or an assertion does not fit; 1 if it could. Its log line at warn says which.",
    type: "gauge",
    labels: ["target", "probe"],
    inDefaultPod: 0,
    perProbe: 1,
    from: newestRun(({ outcome }) => Number(outcome !== "unsupported")),
  },
  {
    name: `${PREFIX}probe_runs_total`,
    help: "Runs of the probe by the gRPC status that they ended with, passed and failed alike.",
    type: "counter",
    labels: ["target", "probe", "grpc_status"],
    inDefaultPod: 0,
    perProbe: 1,
    from: () => ({
      starts: (plan) => everyProbe(plan).map((labels) => ({ ...labels, grpc_status: "OK" })),
      observe: fromRuns((run) => ({
        labels: { ...labelsOf(run), grpc_status: run.status ?? "none" },
        value: 1,
      })),
    }),
  },
  {
    name: `${PREFIX}probe_failures_total`,
    help: "Runs of the probe that failed, by reason.",
    type: "counter",
    labels: ["target", "probe", "reason"],
    exemplars: true,
    inDefaultPod: 0,
    perProbe: LIKELY_REASONS.length,
    from: () => ({
      starts: (plan) =>
        everyProbe(plan).flatMap((labels) =>
          LIKELY_REASONS.map((reason) => ({ ...labels, reason })),
        ),
      observe: fromRuns((run) =>
        run.outcome === "failed"
          ? {
              labels: { ...labelsOf(run), reason: run.reason ?? "other" },
              value: 1,
              ...exemplarOf(run),
            }
          : undefined,
      ),
    }),
  },
  {
    name: `${PREFIX}probe_duration_seconds`,
    help: "Duration of the probe's runs, failed ones included. A timer of the agent: it runs them on a schedule of its own.",
    type: "histogram",
    unit: "seconds",
    labels: ["target", "probe"],
    buckets: DURATION_BUCKETS,
    exemplars: true,
    inDefaultPod: 0,
    perProbe: DURATION_BUCKETS.length + 3,
    from: () => ({
      starts: everyProbe,
      observe: fromRuns((run) =>
        run.outcome === "unsupported"
          ? undefined
          : { labels: labelsOf(run), value: seconds(run.durationMs), ...exemplarOf(run) },
      ),
    }),
  },
  {
    name: `${PREFIX}probe_first_message_seconds`,
    help: "Time to the first message of the answer in the probe's newest run that had one.",
    type: "gauge",
    unit: "seconds",
    labels: ["target", "probe"],
    inDefaultPod: 0,
    perProbe: 1,
    from: newestRun(({ firstMessageMs }) => firstMessageMs && seconds(firstMessageMs)),
  },
  {
    name: `${PREFIX}probe_last_run_timestamp_seconds`,
    help: "When the probe's newest run ended.",
    type: "gauge",
    unit: "seconds",
    labels: ["target", "probe"],
    inDefaultPod: 0,
    perProbe: 1,
    from: newestRun(
      ({ at }) => at,
      (at, { shown }) => seconds(shown(at)),
    ),
  },
  {
    name: `${PREFIX}probe_schedule_lag_seconds`,
    help: "How late the probe's newest run began, against its schedule.",
    type: "gauge",
    unit: "seconds",
    labels: ["target", "probe"],
    inDefaultPod: 0,
    perProbe: 1,
    from: newestRun(({ scheduleLagMs }) => seconds(scheduleLagMs)),
  },
];
