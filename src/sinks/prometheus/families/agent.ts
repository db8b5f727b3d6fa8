import type { AgentEvent } from "../../../model/event.ts";
import { knownValue } from "../../../model/snapshot.ts";
import { AGENT_TARGET } from "../../../model/target.ts";
import type { Instant } from "../../../model/time.ts";
import {
  type Family,
  type Feed,
  type Plan,
  PREFIX,
  type Sample,
  type Scrape,
  seconds,
} from "../family.ts";
import { value } from "../per-target.ts";

/** Job labels of the sources that run without configuration; probes have one each. */
const DEFAULT_JOBS = ["health", "channelz", "preflight", "dns", "kernel"];

/** Counts one kind of event by the job's label, which comes from a closed set. */
function countJobs(kind: "job-finished" | "job-skipped"): () => Feed {
  return () => ({
    starts: ({ settings }: Plan) => [
      ...DEFAULT_JOBS.map((job) => ({ job })),
      ...settings.probes.map(({ name }) => ({ job: `probe/${name}` })),
    ],
    hear: (event) => (event.kind === kind ? [{ labels: { job: event.job }, value: 1 }] : []),
  });
}

interface Reload {
  readonly isGood: boolean;
  readonly succeededAt: Instant;
}

/** How the newest configuration fared; a start without a file runs on a good one. */
function ofReload(read: (reload: Reload, scrape: Scrape) => number): () => Feed {
  return () => {
    let reload: Reload | undefined;
    return {
      hear(event) {
        reload = reloaded(event) ?? reload;
        return [];
      },
      read: (scrape) => value(reload && read(reload, scrape)),
    };
  };
}

function reloaded(event: AgentEvent): Reload | undefined {
  switch (event.kind) {
    case "started":
    case "config-loaded":
      return { isGood: true, succeededAt: event.at };
    case "config-rejected":
      return { isGood: false, succeededAt: event.runningSince };
    default:
      return undefined;
  }
}

/** A value of the process; its name is the one that every client library gives it. */
const processFamily = (
  family: Pick<Family, "name" | "help" | "type"> & { readonly unit?: "seconds" | "bytes" },
  read: (process: Scrape["process"]) => number | undefined,
): Family => ({
  ...family,
  labels: [],
  inDefaultPod: 1,
  from: () => ({ read: (scrape): readonly Sample[] => value(read(scrape.process)) }),
});

/** First of all, as OpenMetrics asks. Source: OpenMetrics 1.0, "Supporting target metadata". */
export const TARGET_FAMILY: Family = {
  name: "target_info",
  help: "Who exposes this: the agent, never the app beside it.",
  type: "info",
  labels: ["service_name", "service_version"],
  inDefaultPod: 1,
  from: () => ({
    read: ({ build }) => [
      { labels: { service_name: AGENT_TARGET, service_version: build.version }, value: 1 },
    ],
  }),
};

export const AGENT_FAMILIES: readonly Family[] = [
  {
    name: `${PREFIX}build_info`,
    help: "What the agent was built of.",
    type: "info",
    labels: ["version", "node"],
    inDefaultPod: 1,
    from: () => ({
      read: ({ build: { version, node } }) => [{ labels: { version, node }, value: 1 }],
    }),
  },
  {
    name: `${PREFIX}config_last_reload_successful`,
    help: "1 if the newest configuration was taken, 0 if it was rejected.",
    type: "gauge",
    labels: [],
    inDefaultPod: 1,
    from: ofReload(({ isGood }) => Number(isGood)),
  },
  {
    name: `${PREFIX}config_last_reload_success_timestamp_seconds`,
    help: "When the configuration that runs was taken.",
    type: "gauge",
    unit: "seconds",
    labels: [],
    inDefaultPod: 1,
    from: ofReload(({ succeededAt }, { shown }) => seconds(shown(succeededAt))),
  },
  {
    name: `${PREFIX}event_loop_lag_seconds`,
    help: "99th percentile of the agent's own event-loop lag in its newest window.",
    type: "gauge",
    unit: "seconds",
    labels: [],
    inDefaultPod: 1,
    from: () => ({
      read({ snapshot }) {
        const agent = snapshot.targets[AGENT_TARGET];
        const window = agent && knownValue(agent, "self")?.windows.at(-1);
        return value(window && seconds(window.lagP99Ms));
      },
    }),
  },
  {
    name: `${PREFIX}job_runs_total`,
    help: "Runs of the agent's jobs that ended, whatever they saw.",
    type: "counter",
    labels: ["job"],
    inDefaultPod: DEFAULT_JOBS.length,
    perProbe: 1,
    from: countJobs("job-finished"),
  },
  {
    name: `${PREFIX}job_skipped_total`,
    help: "Runs that were skipped, as the one before still ran or the schedule was late.",
    type: "counter",
    labels: ["job"],
    inDefaultPod: DEFAULT_JOBS.length,
    perProbe: 1,
    from: countJobs("job-skipped"),
  },
  {
    name: `${PREFIX}sink_dropped_total`,
    help: "What could not be told: lines of a log that nobody reads, transitions that no webhook took.",
    type: "counter",
    labels: ["sink"],
    inDefaultPod: 1,
    from: () => ({
      starts: ({ settings }) => [
        { sink: "log" },
        ...(settings.webhook === undefined ? [] : [{ sink: "webhook" }]),
      ],
      hear: (event) =>
        event.kind === "sink-dropped" ? [{ labels: { sink: event.sink }, value: event.count }] : [],
    }),
  },
  {
    name: `${PREFIX}spans_dropped_total`,
    help: "Spans that no collector took.",
    type: "counter",
    labels: [],
    inDefaultPod: 1,
    from: () => ({
      starts: () => [{}],
      hear: (event) => (event.kind === "spans-dropped" ? [{ labels: {}, value: event.count }] : []),
    }),
  },
  {
    name: `${PREFIX}series_dropped_total`,
    help: "Series that were folded or left out, as there would have been more than 1000.",
    type: "counter",
    labels: [],
    inDefaultPod: 1,
    from: () => ({ read: ({ seriesDropped }) => value(seriesDropped) }),
  },
  processFamily(
    {
      name: "process_cpu_seconds_total",
      help: "User and system CPU time that the agent spent.",
      type: "counter",
      unit: "seconds",
    },
    ({ cpuSeconds }) => cpuSeconds,
  ),
  processFamily(
    {
      name: "process_resident_memory_bytes",
      help: "Resident memory of the agent.",
      type: "gauge",
      unit: "bytes",
    },
    ({ residentBytes }) => residentBytes,
  ),
  processFamily(
    {
      name: "process_start_time_seconds",
      help: "When the agent started, since the Unix epoch.",
      type: "gauge",
      unit: "seconds",
    },
    ({ startedAt }) => seconds(startedAt),
  ),
  processFamily(
    { name: "process_open_fds", help: "File descriptors that the agent has open.", type: "gauge" },
    ({ openFds }) => openFds,
  ),
  processFamily(
    { name: "process_max_fds", help: "File descriptors that the agent may open.", type: "gauge" },
    ({ maxFds }) => maxFds,
  ),
];
