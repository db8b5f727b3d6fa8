import { stringify } from "yaml";

/** What *restricted* asks of a pod's own containers. */
const RESTRICTED = {
  runAsNonRoot: true,
  runAsUser: 10_001,
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  seccompProfile: { type: "RuntimeDefault" },
};

/** An app's container that serves gRPC where nothing else is said. */
export function anApp(change: object = {}): object {
  return {
    name: "app",
    image: "registry.example/orders:1",
    ports: [{ name: "grpc", containerPort: 50_051 }],
    securityContext: RESTRICTED,
    ...change,
  };
}

/** What a test says of a pod. */
export interface Written {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: object;
}

/** Far more of everything than pods have: what a policy may cost is bounded, and beyond it nothing is said. */
export function aLargePod(containers = 30): Written {
  const numbers = (length: number) => Array.from({ length }, (_, at) => at);
  const annotation = (at: number) => [`example.com/annotation-${at}`, "a".repeat(200)];
  const ports = (of: number) =>
    numbers(10).map((at) => ({ name: `grpc-${at}`, containerPort: 1000 + of * 10 + at }));
  return {
    annotations: Object.fromEntries(numbers(100).map(annotation)),
    spec: {
      containers: numbers(containers).map((of) => anApp({ name: `app-${of}`, ports: ports(of) })),
    },
  };
}

/** A pod's template, which *restricted* admits. */
function aTemplate({ annotations, labels, spec = {} }: Written = {}) {
  return {
    metadata: { labels: { app: "orders", ...labels }, ...(annotations && { annotations }) },
    spec: { containers: [anApp()], ...spec },
  };
}

/** A pod by itself; YAML, as `inject` reads it. */
export function podText(written: Written = {}): string {
  const { metadata, spec } = aTemplate(written);
  return yaml({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "orders", ...metadata },
    spec,
  });
}

/** A Deployment on the one node, which nothing schedules onto. */
export function deploymentText(written: Written = {}, replicas = 1): string {
  return yaml({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "orders" },
    spec: {
      replicas,
      selector: { matchLabels: { app: "orders" } },
      template: aTemplate({ ...written, spec: { nodeName: "kwok", ...written.spec } }),
    },
  });
}

/** The kinds that the agent goes into. */
export const KINDS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "Pod"] as const;

/** One of this kind, named `name`, which runs nothing; `labels` are its own, not its template's. */
export function workloadText(
  kind: (typeof KINDS)[number],
  given: { readonly name: string; readonly labels?: Readonly<Record<string, string>> },
): string {
  const completes = kind === "Job" || kind === "CronJob";
  const where = { nodeSelector: { nowhere: "true" } };
  const template = aTemplate({ spec: { ...where, ...(completes && { restartPolicy: "Never" }) } });
  const selector = { matchLabels: { app: "orders" } };
  const spec = {
    Deployment: { replicas: 0, selector, template },
    StatefulSet: { replicas: 0, selector, serviceName: "orders", template },
    DaemonSet: { selector, template },
    Job: { suspend: true, template },
    CronJob: { suspend: true, schedule: "* * * * *", jobTemplate: { spec: { template } } },
    Pod: template.spec,
  }[kind];
  const apiVersion = kind === "Pod" ? "v1" : completes ? "batch/v1" : "apps/v1";
  return yaml({ apiVersion, kind, metadata: given, spec });
}

/** kubectl reads YAML 1.1, where `yes` is no text. */
function yaml(manifest: object): string {
  return stringify(manifest, { compat: "yaml-1.1" });
}
