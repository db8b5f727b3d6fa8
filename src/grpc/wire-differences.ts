import { type DescField, type DescMessage, type DescMethod, ScalarType } from "@bufbuild/protobuf";
import type { ContractFacts } from "../model/facts/probes.ts";
import { methodKind } from "./proto-json.ts";

/** Pairs of types that are compared; a method that reaches more is compared as far as that. */
const MOST_TYPES = 500;
/** As many as evidence holds. */
const MOST_DIFFERENCES = 20;

/** What a field is on the wire. */
interface Shape {
  /** Fields of one wire read each other's bytes alike. */
  readonly wire: string;
  readonly isRepeated: boolean;
  /** As a descriptor writes it. */
  readonly text: string;
  readonly inner?: Fields;
}

/** The fields of a message, or of a map's entry, by number. */
interface Fields {
  readonly name: string;
  readonly shapes: () => ReadonlyMap<number, readonly [name: string, shape: Shape]>;
}

/**
 * Where a method as we have it and as the server describes it would misread each other: another kind of
 * streaming, or a field number with another type or cardinality in a message that it reaches.
 *
 * Names are not on the wire, and a field that only one side has is skipped by the other, so neither counts.
 * Varint integers, bool and enum read each other, and so do string and bytes, bytes and a message, one and
 * many of these.
 *
 * Source: protobuf.dev, "Updating A Message Type" and "Encoding".
 */
export function wireDifferences(ours: DescMethod, served: DescMethod): ContractFacts {
  const differences: string[] = [];
  const [kind, servedKind] = [methodKind(ours), methodKind(served)];
  if (kind !== servedKind) differences.push(`${ours.name}: ${kind} → ${servedKind}`);
  const seen = new Set<string>();
  const pairs: (readonly [Fields, Fields])[] = [
    [fieldsOf(ours.input), fieldsOf(served.input)],
    [fieldsOf(ours.output), fieldsOf(served.output)],
  ];
  for (let pair = pairs.shift(); pair !== undefined; pair = pairs.shift()) {
    const [own, theirs] = pair;
    const key = `${own.name} ${theirs.name}`;
    if (seen.has(key) || seen.size >= MOST_TYPES) continue;
    seen.add(key);
    const compared = compare(own, theirs);
    differences.push(...compared.differences);
    pairs.push(...compared.inner);
  }
  return { checkedTypes: seen.size, differences: differences.slice(0, MOST_DIFFERENCES) };
}

function compare(ours: Fields, served: Fields) {
  const differences: string[] = [];
  const inner: (readonly [Fields, Fields])[] = [];
  const theirs = served.shapes();
  for (const [number, [name, was]] of ours.shapes()) {
    const is = theirs.get(number)?.[1];
    if (is === undefined) continue;
    if (!agree(was, is)) differences.push(`${ours.name}.${name}: ${was.text} → ${is.text}`);
    else if (was.inner !== undefined && is.inner !== undefined) inner.push([was.inner, is.inner]);
  }
  return { differences, inner };
}

/** Of which one and many read each other: the last is taken, messages are merged. Numbers may be packed. */
const ONE_OR_MANY: ReadonlySet<string> = new Set(["string", "bytes", "message"]);

function agree(a: Shape, b: Shape): boolean {
  if (a.isRepeated !== b.isRepeated && !ONE_OR_MANY.has(a.wire)) return false;
  const wires = [a.wire, b.wire].toSorted().join();
  return a.wire === b.wire || wires === "bytes,string" || wires === "bytes,message";
}

function fieldsOf(message: DescMessage): Fields {
  return {
    name: message.typeName,
    shapes: () =>
      new Map(message.fields.map((field) => [field.number, [field.name, shapeOf(field)]])),
  };
}

function shapeOf(field: DescField): Shape {
  switch (field.fieldKind) {
    case "scalar":
      return scalarShape(field.scalar);
    case "enum":
      return { ...ENUM, text: field.enum.typeName };
    case "message":
      return messageShape(field.message, field.delimitedEncoding);
    case "list":
      return repeated(elementShape(field));
    case "map":
      return mapShape(field);
  }
}

const ENUM = { wire: "varint", isRepeated: false } as const;

function elementShape(field: DescField & { readonly fieldKind: "list" }): Shape {
  if (field.listKind === "scalar") return scalarShape(field.scalar);
  if (field.listKind === "enum") return { ...ENUM, text: field.enum.typeName };
  return messageShape(field.message, field.delimitedEncoding);
}

function repeated(shape: Shape): Shape {
  return { ...shape, isRepeated: true, text: `repeated ${shape.text}` };
}

/** On the wire a map is a list of entries: the key is field 1, the value field 2. */
function mapShape(field: DescField & { readonly fieldKind: "map" }): Shape {
  const key = scalarShape(field.mapKey);
  const value = valueShape(field);
  const text = `map<${key.text}, ${value.text}>`;
  const shapes = new Map<number, readonly [string, Shape]>([
    [1, ["key", key]],
    [2, ["value", value]],
  ]);
  return {
    wire: "message",
    isRepeated: true,
    text,
    inner: { name: `${field.parent.typeName}.${field.name}`, shapes: () => shapes },
  };
}

function valueShape(field: DescField & { readonly fieldKind: "map" }): Shape {
  if (field.mapKind === "scalar") return scalarShape(field.scalar);
  if (field.mapKind === "enum") return { ...ENUM, text: field.enum.typeName };
  return messageShape(field.message, false);
}

function messageShape(message: DescMessage, isGroup: boolean): Shape {
  return {
    wire: isGroup ? "group" : "message",
    isRepeated: false,
    text: message.typeName,
    inner: fieldsOf(message),
  };
}

function scalarShape(type: ScalarType): Shape {
  const text = ScalarType[type].toLowerCase();
  return { wire: WIRES[type], isRepeated: false, text };
}

const WIRES: Readonly<Record<ScalarType, string>> = {
  [ScalarType.INT32]: "varint",
  [ScalarType.INT64]: "varint",
  [ScalarType.UINT32]: "varint",
  [ScalarType.UINT64]: "varint",
  [ScalarType.BOOL]: "varint",
  [ScalarType.SINT32]: "zigzag",
  [ScalarType.SINT64]: "zigzag",
  [ScalarType.FIXED32]: "fixed32",
  [ScalarType.SFIXED32]: "fixed32",
  [ScalarType.FIXED64]: "fixed64",
  [ScalarType.SFIXED64]: "fixed64",
  [ScalarType.FLOAT]: "float",
  [ScalarType.DOUBLE]: "double",
  [ScalarType.STRING]: "string",
  [ScalarType.BYTES]: "bytes",
};
