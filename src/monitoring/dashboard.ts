import { DATASOURCE, panelsOf, type Row } from "./panel.ts";
import { RECORDED } from "./recordings.ts";

/** The workloads that are chosen above; the rules' series have their names. */
const FLEET = 'namespace=~"$namespace", workload=~"$workload"';
/** Pods of these workloads, whose names begin with theirs: raw series know no workload. */
const PODS = 'namespace=~"$namespace", pod=~"$workload.*"';
/** The pod that is chosen above. */
const POD = 'namespace=~"$namespace", pod="$pod"';

const quantile = (of: number, histogram: string, by: string) =>
  `histogram_quantile(${of}, sum by (le, ${by}) (rate(${histogram}_bucket{${POD}}[$__rate_interval])))`;
const rate = (counter: string) => `sum(rate(${counter}{${POD}}[$__rate_interval]))`;

/** What to look at: many pods first, then one. */
export const ROWS: readonly Row[] = [
  {
    title: "The fleet",
    panels: [
      {
        title: "Active findings",
        says: "The highest severity of any pod. Empty: nothing is found; see what is unjudged.",
        kind: "table",
        unit: "short",
        queries: [{ expr: `${RECORDED.judged}{${FLEET}} > 0`, legend: "{{code}}" }],
      },
      {
        title: "Pods with a finding",
        says: "By code, from information upwards.",
        kind: "timeseries",
        unit: "short",
        queries: [{ expr: `count by (code) (${RECORDED.active}{${FLEET}})`, legend: "{{code}}" }],
      },
      {
        title: "Pods with an agent",
        says: "Those that were scraped.",
        kind: "stat",
        unit: "short",
        queries: [{ expr: `sum(${RECORDED.pods}{${FLEET}})`, legend: "pods" }],
      },
      {
        title: "Codes that cannot be judged",
        says: "The most of any pod. grpc-doctor status says what each code lacks.",
        kind: "timeseries",
        unit: "short",
        queries: [
          {
            expr: `max by (workload, target) (${RECORDED.unjudged}{${FLEET}})`,
            legend: "{{workload}} {{target}}",
          },
        ],
      },
      {
        title: "Sources that see every pod",
        says: "1: every pod's target is seen by this source; 0: some pod's is not.",
        kind: "timeseries",
        unit: "short",
        queries: [{ expr: `min by (source) (${RECORDED.sees}{${FLEET}})`, legend: "{{source}}" }],
      },
      {
        title: "Calls of the busiest pod, and of an average one",
        says: "Far apart: clients balance connections and not calls.",
        kind: "timeseries",
        unit: "reqps",
        queries: [
          {
            expr: `max by (workload) (${RECORDED.callRate}{${FLEET}})`,
            legend: "{{workload}} max",
          },
          {
            expr: `avg by (workload) (${RECORDED.callRate}{${FLEET}})`,
            legend: "{{workload}} avg",
          },
        ],
      },
    ],
  },
  {
    title: "One pod: $pod",
    panels: [
      {
        title: "Codes",
        says: "Every code that is judged, and how severe its finding is.",
        kind: "state-timeline",
        unit: "short",
        queries: [{ expr: `grpc_doctor_finding_severity{${POD}}`, legend: "{{target}} {{code}}" }],
      },
      {
        title: "Calls",
        says: "By channelz of the server, without the agent's own.",
        kind: "timeseries",
        unit: "cps",
        queries: [
          { expr: rate("grpc_doctor_channelz_server_calls_started_total"), legend: "started" },
          { expr: rate("grpc_doctor_channelz_server_calls_failed_total"), legend: "failed" },
        ],
      },
      {
        title: "In flight, and connections",
        says: "Calls that were started and have not ended.",
        kind: "timeseries",
        unit: "short",
        queries: [
          { expr: `grpc_doctor_channelz_server_calls_in_flight{${POD}}`, legend: "in flight" },
          { expr: `grpc_doctor_channelz_server_connections{${POD}}`, legend: "connections" },
        ],
      },
      {
        title: "Probes",
        says: "Latency, failed runs included; the dots are traces.",
        kind: "timeseries",
        unit: "s",
        hasExemplars: true,
        queries: [0.5, 0.99].map((of) => ({
          expr: quantile(of, "grpc_doctor_probe_duration_seconds", "probe"),
          legend: `{{probe}} p${of * 100}`,
        })),
      },
      {
        title: "A fresh connection, by phase",
        says: "99th percentile of the agent's own connections.",
        kind: "timeseries",
        unit: "s",
        queries: [
          {
            expr: quantile(0.99, "grpc_doctor_connection_phase_seconds", "phase"),
            legend: "{{phase}}",
          },
        ],
      },
      {
        title: "Certificates",
        says: "Days that are left, by place in the chain; 0 is the server's own.",
        kind: "timeseries",
        unit: "d",
        queries: [
          {
            expr: `(grpc_doctor_tls_certificate_not_after_timestamp_seconds{${POD}} - time()) / 86400`,
            legend: "{{target}} {{position}}",
          },
        ],
      },
      {
        title: "Health",
        says: "1 for the status that the server gives.",
        kind: "timeseries",
        unit: "short",
        queries: [
          {
            expr: `grpc_doctor_health_status{${POD}} == 1`,
            legend: "{{target}} {{grpc_service}} {{status}}",
          },
        ],
      },
      {
        title: "Sockets of the kernel",
        says: "Connections, and those that the app has not accepted.",
        kind: "timeseries",
        unit: "short",
        queries: [
          { expr: `grpc_doctor_tcp_connections{${POD}}`, legend: "{{target}} {{state}}" },
          { expr: `grpc_doctor_tcp_accept_queue{${POD}}`, legend: "{{target}} accept queue" },
        ],
      },
      {
        title: "The agent's memory",
        says: "Its limit in the manifests is 160 MiB.",
        kind: "timeseries",
        unit: "bytes",
        queries: [
          {
            expr: `process_resident_memory_bytes{${POD}} and on (job, instance) grpc_doctor_build_info`,
            legend: "resident",
          },
        ],
      },
    ],
  },
];

const variable = (name: string, query: string, isMulti: boolean) => ({
  name,
  type: "query",
  datasource: DATASOURCE,
  query: { query: `label_values(${query}, ${name})`, refId: name },
  refresh: 2,
  sort: 1,
  multi: isMulti,
  includeAll: isMulti,
  ...(isMulti ? { allValue: ".*", current: { text: "All", value: "$__all" } } : {}),
});

/** Findings from warning upwards, as marks over every panel. */
export const ANNOTATION = `${RECORDED.active}{${FLEET}} >= 2`;

/** The dashboard as Grafana imports it (its classic model, schema 39). */
export const DASHBOARD = {
  uid: "grpc-doctor",
  title: "grpc-doctor",
  tags: ["grpc", "grpc-doctor"],
  schemaVersion: 39,
  editable: true,
  refresh: "30s",
  time: { from: "now-3h", to: "now" },
  annotations: {
    list: [
      {
        name: "Findings",
        datasource: DATASOURCE,
        enable: true,
        iconColor: "red",
        expr: ANNOTATION,
        step: "60s",
        titleFormat: "{{code}}",
        textFormat: "{{target}} of {{pod}}",
        tagKeys: "workload",
      },
    ],
  },
  templating: {
    list: [
      { name: "datasource", type: "datasource", query: "prometheus" },
      variable("namespace", RECORDED.pods, true),
      variable("workload", `${RECORDED.pods}{namespace=~"$namespace"}`, true),
      variable("pod", `grpc_doctor_last_evaluation_timestamp_seconds{${PODS}}`, false),
    ],
  },
  panels: panelsOf(ROWS),
};
