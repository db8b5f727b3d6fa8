import type { Recording } from "./rule.ts";
import { byWorkload, withWorkload } from "./workload.ts";

/**
 * What alerts and dashboards stand on. Every one is deduplicated by pod first, so that a pod that two
 * jobs scrape counts once.
 */
export const RECORDED = {
  /** Active findings, one series for a pod, target and code: few. */
  active: "workload_pod_target_code:grpc_doctor_finding_severity:max",
  /** Every judged code; absent where no pod judges it. */
  judged: "workload_target_code:grpc_doctor_finding_severity:max",
  unjudged: "workload_target:grpc_doctor_findings_unjudged:max",
  /** 0 where a pod said that it cannot see by this source. */
  sees: "workload_target_source:grpc_doctor_source_available:min",
  /** Pods with an agent that was scraped. */
  pods: "workload:grpc_doctor_pods:count",
  /** Calls a second that a pod's server started. */
  callRate: "workload_pod_target:grpc_doctor_channelz_server_calls_started:rate5m",
  /** Scrape targets that are agents: `up` alone does not tell what it is the up of. */
  agents: "instance:grpc_doctor_agent:known",
} as const;

const EVALUATED = "grpc_doctor_last_evaluation_timestamp_seconds";
const SCRAPED = "cluster, namespace, pod, job, instance";

/** An agent that stops to answer stays known for as long as its pod is scraped at all. */
const KNOWN_AGENTS = `group by (${SCRAPED}) (${EVALUATED})
or
(group by (${SCRAPED}) (up) and on (job, instance) ${RECORDED.agents})`;

export const RECORDINGS: readonly Recording[] = [
  {
    record: RECORDED.active,
    expr: byWorkload(
      "max",
      ["pod", "target", "code"],
      withWorkload("grpc_doctor_finding_severity > 0"),
    ),
  },
  {
    record: RECORDED.judged,
    expr: byWorkload("max", ["target", "code"], withWorkload("grpc_doctor_finding_severity")),
  },
  {
    record: RECORDED.unjudged,
    expr: byWorkload("max", ["target"], withWorkload("grpc_doctor_findings_unjudged")),
  },
  {
    record: RECORDED.sees,
    expr: byWorkload("min", ["target", "source"], withWorkload("grpc_doctor_source_available")),
  },
  {
    record: RECORDED.pods,
    expr: byWorkload("count", [], byWorkload("max", ["pod"], withWorkload(EVALUATED))),
  },
  {
    record: RECORDED.callRate,
    expr: byWorkload(
      "max",
      ["pod", "target"],
      withWorkload("rate(grpc_doctor_channelz_server_calls_started_total[5m])"),
    ),
  },
  { record: RECORDED.agents, expr: KNOWN_AGENTS },
];
