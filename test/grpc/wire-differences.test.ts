import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  type FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { registryFromFiles } from "../../src/grpc/descriptors.ts";
import { methodNamed } from "../../src/grpc/proto-json.ts";
import { wireDifferences } from "../../src/grpc/wire-differences.ts";

type Field = Omit<MessageInitShape<typeof FieldDescriptorProtoSchema>, "$typeName">;

/** `a.Service/Get` from `Request` to `Reply`, whose fields hold each other. */
function method(fields: readonly Field[], change: { serverStreaming?: boolean } = {}) {
  const at = (typeName: string, number: number): Field => ({
    name: typeName.toLowerCase(),
    type: Type.MESSAGE,
    typeName: `.a.${typeName}`,
    number,
  });
  const file = create(FileDescriptorProtoSchema, {
    name: "a.proto",
    package: "a",
    syntax: "proto3",
    messageType: [
      {
        name: "Request",
        field: fields.map((field) => ({ ...field })),
        nestedType: [{ name: "XEntry", field: keyAndValue(), options: { mapEntry: true } }],
      },
      { name: "Reply", field: [at("Request", 1), at("Reply", 2), at("Entry", 3)] },
      { name: "Entry", field: keyAndValue() },
    ],
    enumType: [{ name: "Kind", value: [{ name: "NONE", number: 0 }] }],
    service: [
      {
        name: "Service",
        method: [{ name: "Get", inputType: ".a.Request", outputType: ".a.Reply", ...change }],
      },
    ],
  });
  return methodNamed(registryFromFiles([file]), "a.Service/Get")!;
}

function keyAndValue(): Field[] {
  return [
    { name: "key", number: 1, type: Type.STRING },
    { name: "value", number: 2, type: Type.INT32 },
  ];
}

const one = (type: Type, more: Field = {}): Field => ({ name: "x", number: 4, type, ...more });
const kind = one(Type.ENUM, { typeName: ".a.Kind" });
const entry = one(Type.MESSAGE, { typeName: ".a.Entry" });
const list = (field: Field): Field => ({ ...field, label: Label.REPEATED });
const map = list(one(Type.MESSAGE, { typeName: ".a.Request.XEntry" }));
const compared = (was: readonly Field[], is: readonly Field[]) =>
  wireDifferences(method(was), method(is)).differences;

describe("agree on the wire:", () => {
  it.each<[string, readonly Field[], readonly Field[]]>([
    ["the same", [one(Type.STRING)], [one(Type.STRING)]],
    ["a field that only one has", [one(Type.STRING)], []],
    ["a field that is new", [], [one(Type.STRING)]],
    ["another name", [one(Type.STRING)], [one(Type.STRING, { name: "y" })]],
    ["the varint integers", [one(Type.INT32)], [one(Type.UINT64)]],
    ["bool and enum", [one(Type.BOOL)], [kind]],
    ["both zigzag", [one(Type.SINT32)], [one(Type.SINT64)]],
    ["fixed with sign and without", [one(Type.FIXED64)], [one(Type.SFIXED64)]],
    ["string and bytes", [one(Type.STRING)], [one(Type.BYTES)]],
    ["bytes and a message", [one(Type.BYTES)], [entry]],
    ["a map and its list of entries", [map], [list(entry)]],
    ["a string and many", [one(Type.STRING)], [list(one(Type.STRING))]],
    ["many messages and one", [list(entry)], [entry]],
    ["bytes and many strings", [one(Type.BYTES)], [list(one(Type.STRING))]],
    [
      "packed and not",
      [list(one(Type.INT32))],
      [list(one(Type.INT32, { options: { packed: false } }))],
    ],
  ])("%s", (_what, was, is) => {
    expect(compared(was, is)).toEqual([]);
  });
});

describe("misread each other:", () => {
  it.each<[string, readonly Field[], readonly Field[], string]>([
    ["float and double", [one(Type.FLOAT)], [one(Type.DOUBLE)], "float → double"],
    ["zigzag and varint", [one(Type.SINT32)], [one(Type.INT32)], "sint32 → int32"],
    ["string and integer", [one(Type.STRING)], [one(Type.INT64)], "string → int64"],
    ["string and message", [one(Type.STRING)], [entry], "string → a.Entry"],
    ["fixed and float", [one(Type.FIXED32)], [one(Type.FLOAT)], "fixed32 → float"],
    ["enum and string", [kind], [one(Type.STRING)], "a.Kind → string"],
    ["a map and a list", [map], [list(one(Type.STRING))], "map<string, int32> → repeated string"],
    ["one number and many", [one(Type.INT32)], [list(one(Type.INT32))], "int32 → repeated int32"],
    [
      "many strings and a number",
      [list(one(Type.STRING))],
      [one(Type.INT32)],
      "repeated string → int32",
    ],
    ["an enum and many", [kind], [list(kind)], "a.Kind → repeated a.Kind"],
  ])("%s", (_what, was, is, text) => {
    expect(compared(was, is)).toEqual([`a.Request.x: ${text}`]);
  });

  it("another kind of streaming", () => {
    const differences = wireDifferences(method([]), method([], { serverStreaming: true }));
    expect(differences).toEqual({
      checkedTypes: 3,
      differences: ["Get: unary → server-streaming"],
    });
  });
});

it("ends where messages hold each other, and counts each pair once", () => {
  expect(wireDifferences(method([]), method([]))).toEqual({ checkedTypes: 3, differences: [] });
});

it("names no more than twenty", () => {
  const fields = (type: Type) =>
    Array.from({ length: 25 }, (_, index) => one(type, { name: `x${index}`, number: index + 10 }));
  expect(compared(fields(Type.FLOAT), fields(Type.DOUBLE))).toHaveLength(20);
});
