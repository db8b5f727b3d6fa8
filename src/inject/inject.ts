import { isMap, isScalar, parse, type Scalar, type YAMLMap } from "yaml";
import { putIn, takeOut } from "./edit-template.ts";
import {
  childMap,
  type Manifest,
  ManifestError,
  type ManifestFault,
  type Manifests,
  parseManifests,
} from "./manifests.ts";
import { type OptionFault, PREFIX, STATUS } from "./options.ts";
import { listAt, mapAt, type Plain, textAt } from "./plain.ts";
import { AGENT } from "./sidecar.ts";
import {
  type Decision,
  type Defaults,
  decide,
  hasPodTemplate,
  KINDS,
  templatePath,
} from "./template.ts";

/** Manifests with what was done to them. */
export interface Injected {
  readonly text: string;
  /** `Deployment shop/orders: …`, a line for each pod that was left alone. */
  readonly left: readonly string[];
  /** Objects that were changed. */
  readonly changed: readonly string[];
}

/**
 * Puts the agent into every pod of the manifests that serves gRPC. Done again, it changes nothing.
 * Throws `ManifestError` with every mistake at once: in YAML, or in annotations.
 */
export function inject(text: string, defaults: Defaults): Injected {
  const manifests = parseManifests(text);
  const services = manifests.all.map(({ plain }) => plain()).filter(isService);
  return eachPod(manifests, (pod) => {
    const { kind, namespace, template } = pod;
    const decision = decide(
      { kind, metadata: mapAt(template, "metadata"), spec: mapAt(template, "spec") },
      { namespace, services },
      defaults,
    );
    return edit(pod, withBare(bareOptions(pod.node), decision), manifests);
  });
}

/** Takes out what `inject` put in, and nothing else. */
export function uninject(text: string): Injected {
  return eachPod(parseManifests(text), ({ template, node, spec }) => {
    if (textAt(template, "metadata", "annotations", STATUS) !== undefined)
      return { edit: () => takeOut(node, spec) };
    const containers = [
      ...listAt(template, "spec", "initContainers"),
      ...listAt(template, "spec", "containers"),
    ];
    const isForeign = containers.some((container) => textAt(container, "name") === AGENT);
    return isForeign
      ? { left: "its container of this name was not injected" }
      : { edit: () => false };
  });
}

interface Pod {
  readonly kind: string;
  readonly namespace: string | undefined;
  readonly template: Plain;
  readonly node: YAMLMap;
  readonly spec: YAMLMap;
}

type Done =
  | { readonly edit: () => boolean }
  | { readonly left: string }
  | { readonly faults: readonly ManifestFault[] };

function eachPod(manifests: Manifests, handle: (pod: Pod) => Done): Injected {
  const left: string[] = [];
  const changed: string[] = [];
  const faults: ManifestFault[] = [];
  for (const manifest of manifests.all) {
    const found = podOf(manifest);
    if (found === undefined) continue;
    const done = typeof found === "string" ? { left: found } : handle(found);
    const name = nameOf(manifest, manifests);
    if ("faults" in done)
      faults.push(...done.faults.map((fault) => ({ ...fault, text: `${name}: ${fault.text}` })));
    else if ("left" in done) left.push(`${name}: ${done.left}`);
    else if (manifest.change(done.edit)) changed.push(name);
  }
  if (faults.length > 0) throw new ManifestError(faults);
  return { text: manifests.print(), left, changed };
}

/** The pod of an object; a text: why it has none that can be changed; `undefined`: of a kind without pods. */
function podOf(manifest: Manifest): Pod | string | undefined {
  const object = manifest.plain();
  const path = templatePath(object);
  if (path === undefined) return foreignness(object);
  const node = childMap(manifest.node, path);
  const spec = childMap(manifest.node, [...path, "spec"]);
  if (node === "behind an alias" || spec === "behind an alias") return BEHIND_AN_ALIAS;
  if (node === undefined || spec === undefined) return "it has no pod template";
  if (partsOf(node, spec).includes("behind an alias")) return BEHIND_AN_ALIAS;
  return {
    kind: textAt(object, "kind") ?? "",
    namespace: textAt(object, "metadata", "namespace"),
    template: mapAt(object, ...path),
    node,
    spec,
  };
}

/** Why nobody should take the agent for being in this object; `undefined`: nobody will. */
function foreignness(object: Plain): string | undefined {
  if (textAt(object, "kind") === undefined) return "it has no kind";
  if (!hasPodTemplate(object)) return undefined;
  const version = textAt(object, "apiVersion") ?? "without apiVersion";
  return `its kind (${version}) is not supported, those are ${KINDS.join(", ")}`;
}

const BEHIND_AN_ALIAS = "what would be changed stands behind a YAML alias";

/** The places that an edit may reach into. */
function partsOf(node: YAMLMap, spec: YAMLMap) {
  return [
    childMap(node, ["metadata", "annotations"]),
    ...["initContainers", "containers", "volumes"].map((key) => childMap(spec, [key])),
  ];
}

/** Values of our annotations that YAML takes for a number or a switch: an API server refuses the object. */
function bareOptions(node: YAMLMap): readonly OptionFault[] {
  const annotations = node.getIn(["metadata", "annotations"], true);
  if (!isMap(annotations)) return [];
  return annotations.items.flatMap(({ key, value }) => {
    const annotation = isScalar(key) ? String(key.value) : "";
    if (!annotation.startsWith(PREFIX) || !isScalar(value) || isText(value)) return [];
    const text = String(value.value);
    return [{ annotation, found: `${text} without quotes`, allowed: `a text: "${text}"` }];
  });
}

function isText({ type, value }: Scalar): boolean {
  const readings = (["core", "yaml-1.1"] as const).map((schema) =>
    parse(String(value), { schema }),
  );
  return type !== "PLAIN" || readings.every((reading) => typeof reading === "string");
}

function withBare(bare: readonly OptionFault[], decision: Decision): Decision {
  if (bare.length === 0) return decision;
  const faults = decision.outcome === "refuse" ? [...bare, ...decision.faults] : bare;
  return { outcome: "refuse", faults };
}

function edit(pod: Pod, decision: Decision, manifests: Manifests): Done {
  switch (decision.outcome) {
    case "inject":
      return { edit: () => putIn(pod.node, pod.spec, decision.injection) };
    case "leave":
      return { left: decision.because };
    case "refuse":
      return { faults: decision.faults.map((fault) => faultAt(fault, pod, manifests)) };
  }
}

function faultAt(
  { annotation, found, allowed }: OptionFault,
  { node }: Pod,
  { placeOf }: Manifests,
): ManifestFault {
  const annotations = node.getIn(["metadata", "annotations"], true);
  const pair = isMap(annotations)
    ? annotations.items.find(({ key }) => isScalar(key) && key.value === annotation)
    : undefined;
  return { ...placeOf(pair?.key), text: `${annotation}: found ${found}, allowed: ${allowed}` };
}

function isService(object: Plain): boolean {
  return textAt(object, "apiVersion") === "v1" && textAt(object, "kind") === "Service";
}

function nameOf({ plain, node }: Manifest, { placeOf }: Manifests): string {
  const object = plain();
  const kind = textAt(object, "kind");
  if (kind === undefined) return `the object at line ${placeOf(node).line}`;
  const namespace = textAt(object, "metadata", "namespace");
  const name =
    textAt(object, "metadata", "name") ?? textAt(object, "metadata", "generateName") ?? "(no name)";
  return `${kind} ${namespace === undefined ? "" : `${namespace}/`}${name}`;
}
