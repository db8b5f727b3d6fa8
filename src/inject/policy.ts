import { celIf, celOf, celSum, celText } from "./cel.ts";
import { EXCLUDED_PORTS } from "./intercepted.ts";
import { PREFIX, STATUS } from "./options.ts";
import {
  annotationOf,
  commandLine,
  IS_CPU_LIMITED,
  IS_GUARANTEED,
  isSaid,
  optional,
  podVariables,
  type Variable,
} from "./policy-variables.ts";
import { AGENT_PORTS, type Injection, MOUNTS, sidecarFrom } from "./sidecar.ts";
import { OBSTACLES } from "./template.ts";

/** Names what it does where the API server's own lists show it. */
const INJECT = "inject.grpc-doctor.io";
const ADVISE = "advise.grpc-doctor.io";

const API = "admissionregistration.k8s.io/v1";
const LABEL = `${PREFIX}inject`;

/** What the API server fills into a rule that says none; each `apply` would take it out again. */
const SCOPE = "*";

/**
 * The files of `deploy/admission`, by their path from the root: what `inject` does, as policies that
 * the API server itself carries out (Kubernetes 1.36). One puts the agent into pods, the other tells
 * whoever writes a workload why it will have none. Neither ever refuses anything.
 */
export function admissionFiles(image: string): Readonly<Record<string, readonly object[]>> {
  return {
    "deploy/admission/kustomization.yaml": [
      {
        apiVersion: "kustomize.config.k8s.io/v1beta1",
        kind: "Kustomization",
        resources: ["inject.yaml", "advise.yaml"],
      },
    ],
    "deploy/admission/inject.yaml": [mutatingPolicy(image), ...mutatingBindings()],
    "deploy/admission/advise.yaml": [advisingPolicy(), advisingBinding()],
  };
}

function mutatingPolicy(image: string): object {
  const pods = {
    apiGroups: [""],
    apiVersions: ["v1"],
    operations: ["CREATE"],
    resources: ["pods"],
    scope: SCOPE,
  };
  const variables = [...podVariables("dyn(object)"), ...sidecarVariables(image)];
  return {
    apiVersion: API,
    kind: "MutatingAdmissionPolicy",
    metadata: { name: INJECT },
    spec: {
      failurePolicy: "Ignore",
      reinvocationPolicy: "Never",
      matchConstraints: { resourceRules: [pods] },
      variables,
      mutations: [{ patchType: "JSONPatch", jsonPatch: { expression: patches() } }],
    },
  };
}

/** By the pod's label, or by the namespace's where the pod says nothing: no pod is matched by both. */
function mutatingBindings(): readonly object[] {
  const wanted = { matchLabels: { [LABEL]: "true" } };
  const silent = { matchExpressions: [{ key: LABEL, operator: "DoesNotExist" }] };
  return [
    { name: `pod.${INJECT}`, matchResources: { objectSelector: wanted } },
    {
      name: `namespace.${INJECT}`,
      matchResources: { namespaceSelector: wanted, objectSelector: silent },
    },
  ].map(({ name, matchResources }) => ({
    apiVersion: API,
    kind: "MutatingAdmissionPolicyBinding",
    metadata: { name },
    spec: { policyName: INJECT, matchResources },
  }));
}

function sidecarVariables(image: string): readonly Variable[] {
  return [
    {
      name: "image",
      expression: `variables.annotations[?${celText(`${PREFIX}image`)}].orValue(${celText(image)})`,
    },
    { name: "args", expression: commandLine() },
    { name: "isGuaranteed", expression: IS_GUARANTEED },
    { name: "isCpuLimited", expression: IS_CPU_LIMITED },
  ];
}

/** Stand where an expression comes into what `sidecarFrom` makes. */
const MARKS = { image: "<image>", args: "<args>", mounts: "<mounts>", resources: "<resources>" };

const CONTAINER = "Object.spec.initContainers";

/** The container: a classic one is the same without the policy by which it stays. */
function container(): string {
  const shape = { image: MARKS.image, mode: "native", ports: [], options: {} } as const;
  const asIn = (pod: Pick<Injection, "isGuaranteed" | "isCpuLimited">) =>
    celOf(sidecarFrom({ ...shape, ...pod }).container["resources"], `${CONTAINER}.resources`);
  const guaranteed = asIn({ isGuaranteed: true, isCpuLimited: true });
  const limited = asIn({ isGuaranteed: false, isCpuLimited: true });
  const burstable = asIn({ isGuaranteed: false, isCpuLimited: false });
  const mounts = MOUNTS.map(({ option, name, path }) =>
    celIf(
      isSaid(option),
      `[${celOf({ name, mountPath: path, readOnly: true }, `${CONTAINER}.volumeMounts`)}]`,
    ),
  );
  const { restartPolicy, ...rest } = sidecarFrom({
    ...shape,
    isGuaranteed: false,
    isCpuLimited: false,
  }).container;
  const given = { args: MARKS.args, resources: MARKS.resources, volumeMounts: MARKS.mounts };
  const text = celOf({ ...rest, ...given }, CONTAINER, {
    [MARKS.image]: "variables.image",
    [MARKS.args]: "variables.args",
    [MARKS.resources]: [
      "variables.isGuaranteed",
      `  ? ${indented(guaranteed)}`,
      `  : variables.isCpuLimited ? ${indented(limited)}`,
      `  : ${indented(burstable)}`,
    ].join("\n"),
    [MARKS.mounts]: celSum(mounts),
  });
  const stays = `?restartPolicy: variables.isClassic ? optional.none() : optional.of(${celText(String(restartPolicy))})`;
  return text.replace(`${CONTAINER}{\n`, `${CONTAINER}{\n  ${stays},\n`);
}

function patches(): string {
  const spec = "variables.pod.spec";
  const volumes = MOUNTS.map(({ option, name, source }) => {
    const said = { "<name>": annotationOf(option) };
    const volume = celOf({ name, ...source("<name>") }, "Object.spec.volumes", said);
    return celIf(isSaid(option), `[${add(celText("/spec/volumes/-"), volume)}]`);
  });
  const place = 'variables.isClassic ? "/spec/containers/-" : "/spec/initContainers/0"';
  const all = [
    celIf(
      `!has(${spec}.initContainers) && !variables.isClassic`,
      emptyList("/spec/initContainers"),
    ),
    `[${add(place, container())}]`,
    celIf(`!has(${spec}.volumes)`, emptyList("/spec/volumes")),
    ...volumes,
    celIf(
      "!has(variables.pod.metadata.annotations)",
      `[${add(celText("/metadata/annotations"), "{}")}]`,
    ),
    `[${add(annotationPath(celText(STATUS)), celText("injected"))}]`,
    `[${EXCLUDED_PORTS.map(celText).join(", ")}].map(name, ${add(annotationPath("name"), excluded())})`,
  ];
  return `!variables.isFit ? [] : (\n  ${indented(celSum(all))}\n)`;
}

function add(path: string, value: string): string {
  return `JSONPatch{op: "add", path: ${path}, value: ${value}}`;
}

function emptyList(path: string): string {
  return `[${add(celText(path), "[]")}]`;
}

function annotationPath(name: string): string {
  return `"/metadata/annotations/" + jsonpatch.escapeKey(${name})`;
}

/** What `withPort` makes of the annotation `name`. */
function excluded(): string {
  const port = AGENT_PORTS.metrics;
  return `[variables.annotations[?name].orValue("").trim()].map(there, there == ""
    ? "${port}"
    : there.split(",").map(e, e.trim()).exists(e, e == "*" || (e.matches("^[0-9]{1,5}(-[0-9]{1,5})?$") &&
        int(e.split("-")[0]) <= ${port} && ${port} <= int(e.split("-")[e.split("-").size() - 1])))
    ? there
    : there + ",${port}")[0]`;
}

function indented(text: string): string {
  return text.replaceAll("\n", "\n  ");
}

/** Kinds whose writer is told; a pod that a controller makes has no writer. */
const TOLD = [
  { apiGroups: ["apps"], resources: ["deployments", "statefulsets", "daemonsets"] },
  { apiGroups: ["batch"], resources: ["jobs", "cronjobs"] },
  { apiGroups: [""], resources: ["pods"] },
] as const;

const TEMPLATE = `object.kind == "Pod"
  ? dyn(object)
  : object.kind == "CronJob" ? dyn(object).spec.jobTemplate.spec.template : dyn(object).spec.template`;

/** Whether the agent belongs into it, by the template's label, or by the namespace's. */
const IS_WANTED = `variables.label == "true" || (variables.label == "" &&
  namespaceObject.?metadata.?labels[?${celText(LABEL)}].orValue("") == "true")`;

function advisingPolicy(): object {
  const variables = [
    ...podVariables(TEMPLATE),
    {
      name: "label",
      expression: `variables.pod.?metadata.?labels[?${celText(LABEL)}].orValue("")`,
    },
    {
      name: "isWanted",
      expression: `!variables.isOurs && ${optional("inject")} != "false" && (${IS_WANTED})`,
    },
  ];
  return {
    apiVersion: API,
    kind: "ValidatingAdmissionPolicy",
    metadata: { name: ADVISE },
    spec: {
      failurePolicy: "Ignore",
      matchConstraints: {
        resourceRules: TOLD.map((rule) => ({
          ...rule,
          apiVersions: ["v1"],
          operations: ["CREATE", "UPDATE"],
          scope: SCOPE,
        })),
      },
      matchConditions: [
        {
          name: "has-a-writer",
          expression: "object.?metadata.?ownerReferences.orValue([]).size() == 0",
        },
      ],
      variables,
      validations: advice().map(([isWell, message]) => ({
        expression: isWell,
        messageExpression: message,
      })),
    },
  };
}

/** What must hold, and what is said where it does not. */
function advice(): readonly (readonly [string, string])[] {
  const lead = "grpc-doctor is not injected: ";
  const mayGo = "!variables.isWanted || variables.faults.size() > 0";
  return [
    [
      "!variables.isWanted || variables.faults.size() == 0",
      `${celText(lead)} + variables.faults.join("; ")`,
    ],
    [`${mayGo} || variables.obstacle == ""`, `${celText(lead)} + variables.obstacle`],
    [
      `${mayGo} || variables.obstacle != "" || variables.ports.size() > 0 || ${isSaid("config-map")}`,
      celText(lead + OBSTACLES.portless),
    ],
    [
      'variables.label in ["", "true", "false"]',
      `${celText(`${lead}label ${LABEL}: found `)} + strings.quote(variables.label) + ${celText(', allowed: "true" or "false"')}`,
    ],
    [
      `variables.isOurs || variables.label != "" || object.?metadata.?labels[?${celText(LABEL)}].orValue("") != "true"`,
      celText(
        `grpc-doctor is not injected for the label ${LABEL} of the workload itself: it belongs on the pod template, or on the namespace`,
      ),
    ],
  ];
}

function advisingBinding(): object {
  return {
    apiVersion: API,
    kind: "ValidatingAdmissionPolicyBinding",
    metadata: { name: ADVISE },
    spec: { policyName: ADVISE, validationActions: ["Warn"] },
  };
}
