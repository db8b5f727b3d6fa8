import {
  isMap,
  isScalar,
  isSeq,
  Pair,
  parseDocument,
  Scalar,
  stringify,
  YAMLMap,
  YAMLSeq,
} from "yaml";
import { EXCLUDED_PORTS, withoutPort, withPort } from "./intercepted.ts";
import { STATUS } from "./options.ts";
import { AGENT, AGENT_PORTS, type Injection, sidecarFrom, VOLUMES } from "./sidecar.ts";

/** Puts the agent into a pod template, or brings the one that is there up to date; true when that changed anything. */
export function putIn(template: YAMLMap, spec: YAMLMap, injection: Injection): boolean {
  const { container, volumes } = sidecarFrom(injection);
  const isNative = injection.mode === "native";
  const changes = [
    dropNamed(spec, isNative ? "containers" : "initContainers", [AGENT]),
    putNamed(spec, isNative ? "initContainers" : "containers", {
      wanted: container,
      isFirst: isNative,
    }),
    dropNamed(
      spec,
      "volumes",
      VOLUMES.filter((name) => !volumes.some((volume) => volume.name === name)),
    ),
    ...volumes.map((wanted) => putNamed(spec, "volumes", { wanted, isFirst: false })),
    annotate(template, STATUS, () => "injected"),
    ...EXCLUDED_PORTS.map((name) =>
      annotate(template, name, (text) => withPort(text, AGENT_PORTS.metrics)),
    ),
  ];
  return changes.includes(true);
}

/** Takes out what was put in; true when there was something. */
export function takeOut(template: YAMLMap, spec: YAMLMap): boolean {
  const changes = [
    dropNamed(spec, "initContainers", [AGENT]),
    dropNamed(spec, "containers", [AGENT]),
    dropNamed(spec, "volumes", VOLUMES),
    annotate(template, STATUS, () => ""),
    ...EXCLUDED_PORTS.map((name) =>
      annotate(template, name, (text = "") => withoutPort(text, AGENT_PORTS.metrics)),
    ),
  ];
  return changes.includes(true);
}

/** A value as nodes whose texts are quoted where any version of YAML would take them for something else. */
function nodeOf(value: unknown): unknown {
  const text = stringify(value, { compat: "yaml-1.1", lineWidth: 0 });
  return parseDocument(text, { schema: "failsafe" }).contents;
}

function nameOf(item: unknown): unknown {
  return isMap(item) ? item.get("name") : undefined;
}

/** Whether two nodes say the same, in whatever order: kubectl and kustomize sort keys. */
function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one, sorted) === JSON.stringify(other, sorted);
}

function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function putNamed(
  spec: YAMLMap,
  key: string,
  {
    wanted,
    isFirst,
  }: { readonly wanted: Readonly<Record<string, unknown>>; readonly isFirst: boolean },
): boolean {
  const node = nodeOf(wanted);
  const list = spec.get(key);
  if (!isSeq(list) || list.items.length === 0) {
    const items = new YAMLSeq();
    items.items.push(node);
    setBeside(spec, key, items);
    return true;
  }
  const index = list.items.findIndex((item) => nameOf(item) === wanted["name"]);
  if (index >= 0 && isSame(list.items[index], node)) return false;
  if (index >= 0) list.items[index] = node;
  else if (isFirst) list.items.unshift(node);
  else list.items.push(node);
  return true;
}

/** A new list of containers stands before `containers`, where a reader looks for it. */
function setBeside(spec: YAMLMap, key: string, value: unknown): void {
  if (spec.has(key)) {
    spec.set(key, value);
    return;
  }
  const before = spec.items.findIndex(
    ({ key: one }) => isScalar(one) && one.value === "containers",
  );
  const at = key === "initContainers" ? before : spec.items.length;
  spec.items.splice(at, 0, new Pair(new Scalar(key), value));
}

function dropNamed(spec: YAMLMap, key: string, names: readonly string[]): boolean {
  const list = spec.get(key);
  if (!isSeq(list)) return false;
  const left = list.items.filter((item) => !names.includes(String(nameOf(item))));
  if (left.length === list.items.length) return false;
  list.items = left;
  if (left.length === 0) spec.delete(key);
  return true;
}

/** Sets an annotation of the template to what `change` makes of it; empty: takes it out. */
function annotate(
  template: YAMLMap,
  name: string,
  change: (text: string | undefined) => string,
): boolean {
  const annotations = template.getIn(["metadata", "annotations"], true);
  const before = isMap(annotations) ? annotations.get(name) : undefined;
  const text = typeof before === "string" ? before : undefined;
  const after = change(text);
  if (after === (text ?? "")) return false;
  if (after === "") dropAnnotation(template, annotations, name);
  else setAnnotation(template, name, after);
  return true;
}

function setAnnotation(template: YAMLMap, name: string, text: string): void {
  const annotations = mapIn(mapIn(template, "metadata"), "annotations");
  // A text that is there keeps its quotes.
  annotations.set(name, annotations.has(name) ? text : nodeOf(text));
}

function dropAnnotation(template: YAMLMap, annotations: unknown, name: string): void {
  if (!isMap(annotations)) return;
  annotations.delete(name);
  if (annotations.items.length > 0) return;
  const metadata = template.get("metadata");
  if (!isMap(metadata)) return;
  metadata.delete("annotations");
  if (metadata.items.length === 0) template.delete("metadata");
}

/** The mapping under a key, made where there is none: metadata first, annotations last. */
function mapIn(parent: YAMLMap, key: string): YAMLMap {
  const found = parent.get(key);
  if (isMap(found)) return found;
  const made = new YAMLMap();
  parent.delete(key);
  const at = key === "metadata" ? 0 : parent.items.length;
  parent.items.splice(at, 0, new Pair(new Scalar(key), made));
  return made;
}
