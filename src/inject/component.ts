import { EXCLUDED_PORTS } from "./intercepted.ts";
import { STATUS } from "./options.ts";
import { AGENT_PORTS, type Sidecar, sidecarFrom } from "./sidecar.ts";

/** The port that most examples of gRPC use; a patch of the overlay's says another. */
const PORT = 50051;

/** Workloads that want the agent have this label; what stands beside them is not touched. */
const WANTED = { labelSelector: "grpc-doctor.io/inject=true" };

/** Where the kinds have their template, and the file that patches it. */
const SHAPES = [
  {
    file: "template.yaml",
    kinds: ["Deployment", "StatefulSet", "DaemonSet", "Job"],
    around: (template: object) => ({ spec: { template } }),
  },
  {
    file: "cron-job.yaml",
    kinds: ["CronJob"],
    around: (template: object) => ({ spec: { jobTemplate: { spec: { template } } } }),
  },
  { file: "pod.yaml", kinds: ["Pod"], around: (template: object) => template },
] as const;

/** Its name is the target's, whatever stands here. */
const NAMELESS = { apiVersion: "v1", kind: "any", metadata: { name: "any" } };

function patches(folder: string, template: { readonly metadata: object; readonly spec?: object }) {
  return SHAPES.map(({ file, around }) => {
    const made = around(template) as { readonly metadata?: object };
    const metadata = { ...NAMELESS.metadata, ...made.metadata };
    return [`${folder}/${file}`, { ...NAMELESS, ...made, metadata }] as const;
  });
}

const COMPONENT = {
  apiVersion: "kustomize.config.k8s.io/v1alpha1",
  kind: "Component",
  patches: SHAPES.flatMap(({ file, kinds }) =>
    kinds.map((kind) => ({ path: file, target: { kind, ...WANTED } })),
  ),
};

/** For a Prometheus that scrapes by annotations, as many do that have no operator. */
const SCRAPED = {
  "prometheus.io/scrape": "true",
  "prometheus.io/port": `${AGENT_PORTS.metrics}`,
  "prometheus.io/path": "/metrics",
};

/**
 * The files of `deploy/component`, by their path from the root: what `inject` makes, as kustomize's
 * patches. A patch cannot see what is there, so ports are not found, and a mesh's annotations, which
 * it would overwrite, are a component of their own; so are those of Prometheus.
 */
export function componentFiles(image: string): Readonly<Record<string, object>> {
  const { container } = sidecarFrom({
    image,
    mode: "native",
    ports: [PORT],
    options: {},
    isGuaranteed: false,
    isCpuLimited: false,
  });
  const excluded = EXCLUDED_PORTS.map((name) => [name, `${AGENT_PORTS.metrics}`]);
  const folders = {
    "deploy/component": {
      metadata: { annotations: { [STATUS]: "injected" } },
      spec: { initContainers: [container] },
    },
    "deploy/component/mesh": { metadata: { annotations: Object.fromEntries(excluded) as object } },
    "deploy/monitoring-plain/annotations": { metadata: { annotations: SCRAPED } },
  };
  return {
    ...debugFile(container),
    ...Object.fromEntries(
      Object.entries(folders).flatMap<readonly [string, object]>(([folder, template]) => [
        [`${folder}/kustomization.yaml`, COMPONENT],
        ...patches(folder, template),
      ]),
    ),
  };
}

/** For `kubectl debug --custom`: of the container what one may have that is added to a running pod. */
function debugFile({ imagePullPolicy, env, securityContext }: Sidecar["container"]) {
  return { "deploy/debug/container.yaml": { imagePullPolicy, env, securityContext } };
}
