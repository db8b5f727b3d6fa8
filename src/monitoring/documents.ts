import { ALERTS, FINDING } from "./alerts.ts";
import { RECORDINGS } from "./recordings.ts";
import type { RuleGroup } from "./rule.ts";
import { WORKLOAD } from "./workload.ts";

/** The name of the agent's container, and of the port that serves `/metrics`. */
const AGENT = "grpc-doctor";

/** What is found is resolved a minute after the cure at the earliest: each scrape sees it. */
const SCRAPE_INTERVAL = "30s";

const RULE_GROUPS: readonly RuleGroup[] = [
  { name: "grpc-doctor.recordings", rules: RECORDINGS },
  { name: "grpc-doctor.alerts", rules: ALERTS },
];

const NAMED = { name: AGENT, labels: { "app.kubernetes.io/name": AGENT } };

/** By the port's name alone, in every namespace: nothing is to be written at the workloads. */
const POD_MONITOR = {
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PodMonitor",
  metadata: NAMED,
  spec: {
    selector: {},
    namespaceSelector: { any: true },
    podMetricsEndpoints: [{ port: AGENT, path: "/metrics", interval: SCRAPE_INTERVAL }],
  },
};

const PROMETHEUS_RULE = {
  apiVersion: "monitoring.coreos.com/v1",
  kind: "PrometheusRule",
  metadata: NAMED,
  spec: { groups: RULE_GROUPS },
};

const KUSTOMIZATION = {
  apiVersion: "kustomize.config.k8s.io/v1beta1",
  kind: "Kustomization",
  resources: ["pod-monitor.yaml", "prometheus-rule.yaml"],
};

const discovered = (name: string) => `__meta_kubernetes_pod_${name}`;

const SCRAPE = {
  scrape_configs: [
    {
      job_name: AGENT,
      scrape_interval: SCRAPE_INTERVAL,
      kubernetes_sd_configs: [{ role: "pod" }],
      relabel_configs: [
        { source_labels: [discovered("container_port_name")], regex: AGENT, action: "keep" },
        { source_labels: [discovered("phase")], regex: "Succeeded|Failed", action: "drop" },
        { source_labels: ["__meta_kubernetes_namespace"], target_label: "namespace" },
        { source_labels: [discovered("name")], target_label: "pod" },
      ],
    },
  ],
};

const inhibited = (source: string, target: string, equal: readonly string[]) => ({
  source_matchers: [`alertname="${source}"`],
  target_matchers: [`alertname="${target}"`],
  equal,
});

const ALERTMANAGER = {
  route: {
    receiver: "default",
    routes: [
      {
        matchers: ['alertname=~"GrpcDoctor.+"'],
        receiver: "team",
        group_by: WORKLOAD,
        routes: [
          { matchers: ['severity="critical"'], receiver: "pager" },
          { matchers: ['severity="info"'], receiver: "nobody" },
        ],
      },
    ],
  },
  inhibit_rules: [
    inhibited("GrpcDoctorCritical", "GrpcDoctorWarning", FINDING),
    inhibited("GrpcDoctorStale", "GrpcDoctorBlind", WORKLOAD),
  ],
  receivers: [{ name: "default" }, { name: "team" }, { name: "pager" }, { name: "nobody" }],
};

/** A YAML file: what it holds, and what its head says. */
export interface Document {
  readonly comment: readonly string[];
  readonly value: object;
}

const RULES = [
  "Alerts select by the label `code` and list no code. docs/monitoring.md says what each means.",
];
const SCRAPED = ["Scrapes every container port that is named grpc-doctor, sidecars' ports too."];

/** Every file of `deploy/monitoring` and `deploy/monitoring-plain`, by its path from the root. */
export const MONITORING: Readonly<Record<string, Document>> = {
  "deploy/monitoring/kustomization.yaml": {
    comment: [
      "For clusters with the Prometheus operator: kubectl apply -n monitoring -k deploy/monitoring",
      "An operator that selects by label (`release: …`) needs that label on both: docs/monitoring.md.",
    ],
    value: KUSTOMIZATION,
  },
  "deploy/monitoring/pod-monitor.yaml": { comment: SCRAPED, value: POD_MONITOR },
  "deploy/monitoring/prometheus-rule.yaml": { comment: RULES, value: PROMETHEUS_RULE },
  "deploy/monitoring-plain/rules.yaml": { comment: RULES, value: { groups: RULE_GROUPS } },
  "deploy/monitoring-plain/scrape.yaml": { comment: SCRAPED, value: SCRAPE },
  "deploy/monitoring-plain/alertmanager.yaml": {
    comment: [
      "An example: its route and inhibitions go into your own file, its receivers are yours.",
      "A critical alert silences its own warning, and no other.",
    ],
    value: ALERTMANAGER,
  },
};
