import { grpcPorts, portsOf, type Surroundings } from "./grpc-ports.ts";
import { type OptionFault, optionsFrom, portsFrom, STATUS } from "./options.ts";
import { listAt, mapAt, type Plain, type PlainMap, textAt, textsOf } from "./plain.ts";
import { AGENT, AGENT_PORTS, type Injection, VOLUMES } from "./sidecar.ts";

/** Kinds with a pod, by the group of their API, and where its template stands. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  "/Pod": [],
  "apps/Deployment": ["spec", "template"],
  "apps/StatefulSet": ["spec", "template"],
  "apps/DaemonSet": ["spec", "template"],
  "batch/Job": ["spec", "template"],
  "batch/CronJob": ["spec", "jobTemplate", "spec", "template"],
};

/** Of the objects that are changed. */
export const KINDS: readonly string[] = Object.keys(TEMPLATES).map((kind) =>
  kind.slice(kind.indexOf("/") + 1),
);

/** Whether there is a pod template anywhere in a value. */
export function hasPodTemplate(value: Plain): boolean {
  if (typeof value !== "object" || value === null) return false;
  return (
    listAt(value as Plain, "template", "spec", "containers").length > 0 ||
    Object.values(value).some((part: Plain) => hasPodTemplate(part))
  );
}

/** Where an object has its pod template; `undefined`: it is none of the kinds that have one. */
export function templatePath(object: Plain): readonly string[] | undefined {
  const version = textAt(object, "apiVersion") ?? "";
  const group = version.includes("/") ? version.slice(0, version.indexOf("/")) : "";
  return TEMPLATES[`${group}/${textAt(object, "kind") ?? ""}`];
}

/** What the command line says for every pod; an annotation wins. */
export interface Defaults {
  readonly image: string;
  readonly mode: "native" | "classic";
}

/** What becomes of one pod template. */
export type Decision =
  | { readonly outcome: "inject"; readonly injection: Injection }
  | { readonly outcome: "leave"; readonly because: string }
  | { readonly outcome: "refuse"; readonly faults: readonly OptionFault[] };

interface Template {
  readonly kind: string;
  readonly metadata: PlainMap;
  readonly spec: PlainMap;
}

/** Decides, from the annotations and the pod itself, whether and how the agent goes in. */
export function decide(
  template: Template,
  around: Omit<Surroundings, "labels">,
  defaults: Defaults,
): Decision {
  const { options, faults } = optionsFrom(textsOf(mapAt(template.metadata, "annotations")));
  if (faults.length > 0) return { outcome: "refuse", faults };
  if (options.inject === "false") return leave("grpc-doctor.io/inject is false");
  const mode = options.mode === undefined ? defaults.mode : modeFrom(options.mode);
  const obstacle = obstacleIn(template, mode);
  if (obstacle !== undefined) return leave(obstacle);
  const labels = textsOf(mapAt(template.metadata, "labels"));
  const ports =
    options.port === undefined
      ? grpcPorts(template.spec, { ...around, labels })
      : portsFrom(options.port);
  if (ports.length === 0 && options["config-map"] === undefined) {
    return leave(OBSTACLES.portless);
  }
  return {
    outcome: "inject",
    injection: {
      image: options.image ?? defaults.image,
      mode,
      ports,
      options,
      isGuaranteed: isGuaranteed(template.spec),
      isCpuLimited: isCpuLimited(template.spec),
    },
  };
}

function leave(because: string): Decision {
  return { outcome: "leave", because };
}

function modeFrom(text: string): Injection["mode"] {
  return text === "classic" ? "classic" : "native";
}

/** Why a pod is left alone, in the words of command and admission policy. */
export const OBSTACLES = {
  completes: "a classic container would keep it from completing: use the native mode",
  hostNetwork: "on the host's network the agent's ports would be the node's",
  windows: "the image is for Linux",
  foreign: "it has a container or a volume of this name that was not injected",
  taken: (port: string) => `the app has port ${port}, which is the agent's`,
  portless: "it names no gRPC port: name one grpc…, or set the annotation grpc-doctor.io/port",
} as const;

/** Why the agent would harm this pod, or could not run in it. */
function obstacleIn({ kind, metadata, spec }: Template, mode: Injection["mode"]) {
  const containers = [...listAt(spec, "initContainers"), ...listAt(spec, "containers")];
  const isOurs = textAt(metadata, "annotations", STATUS) !== undefined;
  const taken = portsOf(
    containers.filter((container) => textAt(container, "name") !== AGENT),
  ).filter(({ port }) => port === AGENT_PORTS.metrics || port === AGENT_PORTS.admin);
  const rows: readonly (readonly [boolean, string])[] = [
    [listAt(spec, "containers").length === 0, "it has no containers"],
    [mode === "classic" && completes(kind, spec), OBSTACLES.completes],
    [textAt(spec, "hostNetwork") === "true", OBSTACLES.hostNetwork],
    [isWindows(spec), OBSTACLES.windows],
    [taken.length > 0, OBSTACLES.taken(`${taken[0]?.port}`)],
    [!isOurs && namesOurs(spec, containers), OBSTACLES.foreign],
  ];
  return rows.find(([holds]) => holds)?.[1];
}

function completes(kind: string, spec: PlainMap): boolean {
  const policy = textAt(spec, "restartPolicy") ?? "Always";
  return kind === "Job" || kind === "CronJob" || policy !== "Always";
}

function isWindows(spec: PlainMap): boolean {
  const system =
    textAt(spec, "os", "name") ?? textAt(spec, "nodeSelector", "kubernetes.io/os") ?? "linux";
  return system !== "linux";
}

function namesOurs(spec: PlainMap, containers: readonly Plain[]): boolean {
  return (
    containers.some((container) => textAt(container, "name") === AGENT) ||
    listAt(spec, "volumes").some((volume) => VOLUMES.includes(textAt(volume, "name") ?? ""))
  );
}

/** Every container's limits are its requests: a pod of the class Guaranteed, maybe with whole processors. */
function isGuaranteed(spec: PlainMap): boolean {
  return othersOf(spec).every((container) =>
    ["cpu", "memory"].every((resource) => {
      const limit = textAt(container, "resources", "limits", resource);
      const request = textAt(container, "resources", "requests", resource) ?? limit;
      return limit !== undefined && request === limit;
    }),
  );
}

function isCpuLimited(spec: PlainMap): boolean {
  return othersOf(spec).every(
    (container) => textAt(container, "resources", "limits", "cpu") !== undefined,
  );
}

function othersOf(spec: PlainMap): readonly Plain[] {
  return [...listAt(spec, "initContainers"), ...listAt(spec, "containers")].filter(
    (container) => textAt(container, "name") !== AGENT,
  );
}
