import { findingPage, monitoringPage } from "../model/documentation.ts";
import { RECORDED } from "./recordings.ts";
import type { Alert } from "./rule.ts";
import { byWorkload, WORKLOAD, withWorkload } from "./workload.ts";

/** What one alert about a code is about; equal in the critical one and in its warning. */
export const FINDING = [...WORKLOAD, "target", "code"] as const;

/** Severities as `grpc_doctor_finding_severity` counts them. */
const WARNING = 2;
const CRITICAL = 3;

/** A busiest pod below this many calls a second is not burdened, however unevenly they come. */
const LEAST_CALL_RATE = 10;

const AT = "{{ $labels.namespace }}/{{ $labels.workload }}";
const EVALUATED = "grpc_doctor_last_evaluation_timestamp_seconds";

/** The series of the alert's workload: an absent label and an empty one are the same to Prometheus. */
const SAME = `cluster=%q, namespace=%q, workload=%q`;
const SAME_VALUES = "$labels.cluster $labels.namespace $labels.workload";

/** `3 of 40 pods (a, b, c)`: at most five names, the worst first. */
function whichPods(least: number): string {
  const pods = `{{ with printf "${RECORDED.pods}{${SAME}}" ${SAME_VALUES} | query }} of {{ . | first | value }}{{ end }} pods`;
  const named = `topk(5, ${RECORDED.active}{${SAME}, target=%q, code=%q} >= ${least})`;
  const names = `{{ range printf "${named}" ${SAME_VALUES} $labels.target $labels.code | query }} {{ .Labels.pod }}{{ end }}`;
  return `{{ $value }}${pods}:${names}`;
}

/**
 * Alerts about codes say `code` and never list any: a new code needs no new rule. One alert stands for a
 * code in a workload, whether one pod shows it or a thousand do; what the number is, is text.
 */
function findingAlert(severity: "critical" | "warning"): Alert {
  const least = severity === "critical" ? CRITICAL : WARNING;
  return {
    alert: severity === "critical" ? "GrpcDoctorCritical" : "GrpcDoctorWarning",
    expr: byWorkload("count", ["target", "code"], `${RECORDED.active} >= ${least}`),
    // Codes have a hold of their own before they are active; two lost scrapes are no cure.
    keep_firing_for: "2m",
    labels: { severity },
    annotations: {
      summary: `{{ $labels.code }} on {{ $labels.target }} of ${AT}`,
      description: `${whichPods(least)}. Evidence and remedy: kubectl exec -n {{ $labels.namespace }} POD -c grpc-doctor -- /usr/local/bin/grpc-doctor status`,
      runbook_url: findingPage("{{ $labels.code }}"),
    },
  };
}

const BLIND_SOURCE: Alert = {
  alert: "GrpcDoctorBlind",
  expr: `${byWorkload("count", ["target", "source"], byWorkload("min", ["pod", "target", "source"], withWorkload("grpc_doctor_source_available")) + " == 0")}
and (${RECORDED.sees} offset 1d == 1)`,
  for: "15m",
  labels: { severity: "warning" },
  annotations: {
    summary: `{{ $labels.source }} no longer sees {{ $labels.target }} of ${AT}`,
    description:
      "{{ $value }} pods cannot be watched by {{ $labels.source }}, and yesterday all could. What was found by it is not found there now; grpc-doctor status says why, and how to switch it on.",
    runbook_url: monitoringPage("grpcdoctorblind"),
  },
};

/** Only told: codes that need traffic are unjudged on a day without any. */
const BLIND_CODES: Alert = {
  alert: "GrpcDoctorBlind",
  expr: `${byWorkload("count", ["target"], `present_over_time(${RECORDED.judged}[1h] offset 1d) unless present_over_time(${RECORDED.judged}[1h])`)}
and (${RECORDED.unjudged} > ${RECORDED.unjudged} offset 1d)`,
  for: "15m",
  labels: { severity: "info" },
  annotations: {
    summary: `Codes that were judged yesterday are not on {{ $labels.target }} of ${AT}`,
    description:
      "{{ $value }} codes that were judged at this hour yesterday have not been for an hour; grpc-doctor status says what each of them lacks.",
    runbook_url: monitoringPage("grpcdoctorblind"),
  },
};

/** The clocks of node and Prometheus may differ: the stamp is compared with itself, two minutes ago. */
const STALE: Alert = {
  alert: "GrpcDoctorStale",
  expr: byWorkload(
    "count",
    [],
    byWorkload(
      "max",
      ["pod"],
      withWorkload(`
  (${EVALUATED} == ${EVALUATED} offset 2m)
  or on (job, instance)
  (up == 0 and on (job, instance) ${RECORDED.agents})
`),
    ),
  ),
  for: "2m",
  labels: { severity: "warning" },
  annotations: {
    summary: `Agents of ${AT} do not judge`,
    description:
      "{{ $value }} agents have not evaluated for 2 minutes, or do not answer scrapes. Their last word may be old: no alert does not mean no fault there.",
    runbook_url: monitoringPage("grpcdoctorstale"),
  },
};

const PROBE_NOT_RUN: Alert = {
  alert: "GrpcDoctorProbeNotRun",
  expr: byWorkload(
    "count",
    ["target", "probe"],
    `${byWorkload("min", ["pod", "target", "probe"], withWorkload("grpc_doctor_probe_runnable"))} == 0`,
  ),
  for: "10m",
  labels: { severity: "warning" },
  annotations: {
    summary: `Probe {{ $labels.probe }} of {{ $labels.target }} cannot be run by ${AT}`,
    description:
      "{{ $value }} pods cannot make the call: no probe-failing does not mean that it works. The agent's log says what it lacks, and so does kubectl exec -n {{ $labels.namespace }} POD -c grpc-doctor -- /usr/local/bin/grpc-doctor probe {{ $labels.probe }}",
    runbook_url: monitoringPage("grpcdoctorprobenotrun"),
  },
};

const UNEVEN_LOAD: Alert = {
  alert: "GrpcDoctorUnevenLoad",
  expr: `(
  ${byWorkload("max", ["target"], RECORDED.callRate)}
  /
  ${byWorkload("avg", ["target"], RECORDED.callRate)}
) > 3
and ${byWorkload("max", ["target"], RECORDED.callRate)} >= ${LEAST_CALL_RATE}`,
  for: "10m",
  labels: { severity: "warning" },
  annotations: {
    summary: `Calls to {{ $labels.target }} of ${AT} come unevenly`,
    description:
      "The busiest pod has {{ $value | humanize }} times the calls of an average one. Clients that balance connections and not calls look like this from the servers.",
    runbook_url: findingPage("l4-pinning"),
  },
};

export const ALERTS: readonly Alert[] = [
  findingAlert("critical"),
  findingAlert("warning"),
  BLIND_SOURCE,
  BLIND_CODES,
  STALE,
  PROBE_NOT_RUN,
  UNEVEN_LOAD,
];
