import { celChoice, celSum, celText } from "./cel.ts";
import { GRPC_NAMES, PROBES } from "./grpc-ports.ts";
import { CONTRADICTIONS, known, OPTIONS, type OptionName, PREFIX, STATUS } from "./options.ts";
import { AGENT, AGENT_PORTS, FLAGS, VOLUMES, WITH_CONFIG } from "./sidecar.ts";
import { OBSTACLES } from "./template.ts";

/** A named expression of an admission policy; a later one may use it as `variables.name`. */
export interface Variable {
  readonly name: string;
  readonly expression: string;
}

/** The pod's annotation of an option, as CEL. */
export function annotationOf(option: OptionName): string {
  return `variables.annotations[${celText(PREFIX + option)}]`;
}

/** Whether the pod has an annotation of this option, as CEL. */
export function isSaid(option: OptionName): string {
  return `${celText(PREFIX + option)} in variables.annotations`;
}

/**
 * What both admission policies know of a pod, in the words of `decide`: the same options, faults,
 * obstacles and ports, but for those of Services, which no policy sees. `pod` is an expression for
 * the pod or the template.
 */
export function podVariables(pod: string): readonly Variable[] {
  return [
    { name: "pod", expression: pod },
    { name: "annotations", expression: "variables.pod.?metadata.?annotations.orValue({})" },
    {
      name: "containers",
      expression:
        "variables.pod.spec.?initContainers.orValue([]) + variables.pod.spec.?containers.orValue([])",
    },
    {
      name: "apps",
      expression: `variables.containers.filter(c, c.name != ${celText(AGENT)})`,
    },
    { name: "isOurs", expression: `${celText(STATUS)} in variables.annotations` },
    { name: "isClassic", expression: `${optional("mode")} == "classic"` },
    { name: "options", expression: options() },
    { name: "faults", expression: celSum([INVALID, UNKNOWN, contradicting()]) },
    { name: "taken", expression: taken() },
    { name: "obstacle", expression: obstacle() },
    { name: "ports", expression: ports() },
    {
      name: "isFit",
      expression: [
        "!variables.isOurs",
        "variables.faults.size() == 0",
        'variables.obstacle == ""',
        `(variables.ports.size() > 0 || ${isSaid("config-map")})`,
        `${optional("inject")} != "false"`,
      ].join(" &&\n"),
    },
  ];
}

/**
 * The command line of the agent; no option that is valid has a space in it. A list that `split` has made
 * cannot be patched in, one that `map` has made can.
 */
export function commandLine(): string {
  const flags = FLAGS.map(({ option, saying, words }) => {
    const condition =
      saying === undefined ? isSaid(option) : `${optional(option)} == ${celText(saying)}`;
    const [first, ...others] = words.map((word) =>
      word === "$" ? `" " + ${annotationOf(option)}` : celText(` ${word}`),
    );
    return `(${condition} ? ${[first, ...others].join(" + ")} : "")`;
  });
  const line = [
    '"run"',
    'variables.ports.map(p, " --target localhost:" + p).join()',
    ...flags,
  ].join(" +\n");
  return `(${isSaid("config-map")} ? ${celText(WITH_CONFIG.join(" "))} : (${line})).split(" ").map(w, w)`;
}

/** Every container's limits are its requests; the API server has filled in requests that are not written. */
export const IS_GUARANTEED = `variables.apps.all(c, ["cpu", "memory"].all(r,
  c.?resources.?limits[?r].hasValue() &&
  c.?resources.?requests[?r].orValue(c.resources.limits[r]) == c.resources.limits[r]))`;

/** Every container has a limit of CPU, which a LimitRange may have filled in. */
export const IS_CPU_LIMITED = `variables.apps.all(c, c.?resources.?limits[?"cpu"].hasValue())`;

/** What the pod's annotation says, or nothing, as CEL. */
export function optional(option: OptionName): string {
  return `variables.annotations[?${celText(PREFIX + option)}].orValue("")`;
}

/** Name, pattern and what is allowed, of each option. */
function options(): string {
  const rows = Object.entries(OPTIONS).map(([name, { pattern, allowed }]) =>
    list([PREFIX + name, pattern, allowed]),
  );
  return `[\n  ${rows.join(",\n  ")}\n]`;
}

const INVALID = `variables.options
  .filter(o, o[0] in variables.annotations && !variables.annotations[o[0]].matches(o[1]))
  .map(o, o[0] + ": found " + strings.quote(variables.annotations[o[0]]) + ", allowed: " + o[2])`;

const UNKNOWN = `variables.annotations
  .filter(k, k.startsWith(${celText(PREFIX)}) && k != ${celText(STATUS)} && !variables.options.exists(o, o[0] == k))
  .map(k, k + ${celText(`: found an unknown option, allowed: ${known()}`)})`;

/** Option, the other one, what that says or nothing, and the fault. */
function contradicting(): string {
  const rows = CONTRADICTIONS.map(({ option, beside, saying = "", found, allowed }) =>
    list([
      PREFIX + option,
      PREFIX + beside,
      saying,
      `${PREFIX}${option}: found ${found}, allowed: ${allowed}`,
    ]),
  );
  return `[\n  ${rows.join(",\n  ")}\n]
  .filter(c, c[0] in variables.annotations && c[1] in variables.annotations &&
    (c[2] == "" || variables.annotations[c[1]] == c[2]))
  .map(c, c[3])`;
}

function list(texts: readonly string[]): string {
  return `[${texts.map(celText).join(", ")}]`;
}

const TCP = 'p.?protocol.orValue("TCP") == "TCP"';

function taken(): string {
  const { metrics, admin } = AGENT_PORTS;
  return `variables.apps.map(c, c.?ports.orValue([])
  .filter(p, ${TCP} && p.containerPort in [${metrics}, ${admin}])
  .map(p, string(p.containerPort))).flatten()`;
}

function obstacle(): string {
  const pod = "variables.pod.spec";
  const volumes = `${pod}.?volumes.orValue([]).exists(v, v.name in ${list(VOLUMES)})`;
  const [before, after] = OBSTACLES.taken("\n").split("\n");
  return celChoice(
    [
      [
        `variables.isClassic && ${pod}.?restartPolicy.orValue("Always") != "Always"`,
        celText(OBSTACLES.completes),
      ],
      [`${pod}.?hostNetwork.orValue(false)`, celText(OBSTACLES.hostNetwork)],
      [
        `${pod}.?os.?name.orValue(${pod}.?nodeSelector[?"kubernetes.io/os"].orValue("linux")) != "linux"`,
        celText(OBSTACLES.windows),
      ],
      [
        "variables.taken.size() > 0",
        `${celText(before ?? "")} + variables.taken[0] + ${celText(after ?? "")}`,
      ],
      [
        `!variables.isOurs && (variables.apps.size() < variables.containers.size() ||\n  ${volumes})`,
        celText(OBSTACLES.foreign),
      ],
    ],
    '""',
  );
}

function ports(): string {
  const { pattern, but } = GRPC_NAMES;
  const name = 'p.?name.orValue("")';
  const probes = PROBES.map((probe) => `c.?${probe}.?grpc.?port.orValue(0)`).join(", ");
  const apps = "variables.pod.spec.?containers.orValue([])";
  return `${isSaid("port")}
  ? ${annotationOf("port")}.split(",").map(p, p.trim())
  : (${apps}.map(c, c.?ports.orValue([])
      .filter(p, ${TCP} && ${name}.matches(${celText(pattern)}) && !${name}.matches(${celText(but)}))
      .map(p, string(p.containerPort))).flatten() +
    ${apps}.map(c, [${probes}]
      .filter(p, p > 0)
      .map(p, string(p))).flatten()).distinct()`;
}
