import assert from "node:assert/strict";
import { create, fromJson, type JsonValue, toBinary } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import fc, { type Arbitrary } from "fast-check";
import { CallError } from "../../../src/grpc/call-error.ts";
import { describeSymbol } from "../../../src/grpc/describe.ts";
import { registryFromFiles, registryFromSet } from "../../../src/grpc/descriptors.ts";
import {
  decodeResponses,
  encodeRequests,
  methodNamed,
  RequestError,
  responseJson,
} from "../../../src/grpc/proto-json.ts";
import type { Json } from "../../../src/model/json.ts";
import { anyHex, anyText, bytesOf, mutatedHex } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const SCALARS = [
  "DOUBLE",
  "FLOAT",
  "INT64",
  "UINT64",
  "INT32",
  "FIXED64",
  "BOOL",
  "STRING",
  "BYTES",
  "UINT32",
  "SINT64",
] as const;
const WELL_KNOWN = [
  "Timestamp",
  "Duration",
  "Struct",
  "Value",
  "Any",
  "FieldMask",
  "StringValue",
  "Empty",
] as const;

const scalarFields = SCALARS.map((name, at) => ({
  name: `a_${name.toLowerCase()}`,
  number: at + 1,
  label: Label.OPTIONAL,
  type: Type[name],
}));
const knownFields = WELL_KNOWN.map((name, at) => ({
  name: `a_${name.toLowerCase()}`,
  number: at + 20,
  label: Label.OPTIONAL,
  type: Type.MESSAGE,
  typeName: `.google.protobuf.${name}`,
}));
const entry = {
  name: "TagsEntry",
  options: { mapEntry: true },
  field: [
    { name: "key", number: 1, label: Label.OPTIONAL, type: Type.STRING },
    { name: "value", number: 2, label: Label.OPTIONAL, type: Type.INT32 },
  ],
};

/** A file with every kind of field, and a method of each kind. */
const FILE: FileDescriptorProto = create(FileDescriptorProtoSchema, {
  name: "all.proto",
  package: "fuzz",
  syntax: "proto3",
  messageType: [
    {
      name: "All",
      field: [
        ...scalarFields,
        ...knownFields,
        { name: "list", number: 40, label: Label.REPEATED, type: Type.STRING },
        {
          name: "tags",
          number: 41,
          label: Label.REPEATED,
          type: Type.MESSAGE,
          typeName: ".fuzz.All.TagsEntry",
        },
        {
          name: "kind",
          number: 42,
          label: Label.OPTIONAL,
          type: Type.ENUM,
          typeName: ".fuzz.Kind",
        },
        {
          name: "below",
          number: 43,
          label: Label.OPTIONAL,
          type: Type.MESSAGE,
          typeName: ".fuzz.All",
        },
        { name: "one", number: 44, label: Label.OPTIONAL, type: Type.STRING, oneofIndex: 0 },
        { name: "other", number: 45, label: Label.OPTIONAL, type: Type.INT32, oneofIndex: 0 },
      ],
      oneofDecl: [{ name: "choice" }],
      nestedType: [entry],
    },
  ],
  enumType: [
    {
      name: "Kind",
      value: [
        { name: "NONE", number: 0 },
        { name: "SOME", number: 1 },
      ],
    },
  ],
  service: [
    {
      name: "Service",
      method: [
        { name: "Unary", inputType: ".fuzz.All", outputType: ".fuzz.All" },
        {
          name: "Stream",
          inputType: ".fuzz.All",
          outputType: ".fuzz.All",
          clientStreaming: true,
          serverStreaming: true,
        },
      ],
    },
  ],
});
const registry = registryFromFiles([FILE]);
const unary = methodNamed(registry, "fuzz.Service/Unary") ?? assert.fail();
const stream = methodNamed(registry, "fuzz.Service/Stream") ?? assert.fail();

const MOST_FIELDS = 1000;

/** A value that no account of a bad request may repeat. */
const SECRET = "hunter2";

const names = [...scalarFields, ...knownFields].map(({ name }) => name);
const key = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...names,
      "aDouble",
      "list",
      "tags",
      "kind",
      "below",
      "one",
      "other",
    ),
  },
  { weight: 1, arbitrary: fc.oneof(anyText(8), fc.constantFrom("@type", "value", "paths")) },
);
const leaf: Arbitrary<Json> = fc.oneof(
  fc.constantFrom(
    SECRET,
    `${SECRET}@type`,
    "SOME",
    "1",
    "-1",
    "NaN",
    "Infinity",
    "2026-01-15T12:00:00Z",
    "1.5s",
    "aGk=",
    "a.b,c",
    "type.googleapis.com/fuzz.All",
  ),
  anyText(12),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
  fc.boolean(),
  fc.constant(null),
);
const { request } = fc.letrec<{ request: Json }>((tie) => ({
  request: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    leaf,
    fc.dictionary(key, tie("request"), { maxKeys: 4, noNullPrototype: true }),
    fc.array(tie("request"), { maxLength: 3 }),
  ),
}));

/** JSON becomes bytes that say the same, or a fault that names fields and no value. */
export const probeRequests = defineProperty({
  name: "probe-requests",
  runs: 200,
  input: fc.array(request, { maxLength: 2 }),
  check(requests) {
    let bytes: readonly Uint8Array[];
    try {
      bytes = encodeRequests(registry, stream, requests);
    } catch (thrown) {
      assert.ok(thrown instanceof RequestError, String(thrown));
      assert.ok(thrown.message.length <= 200);
      const isKey = JSON.stringify(requests).includes(`${SECRET}":`);
      assert.ok(isKey || !thrown.message.includes(SECRET), thrown.message);
      return;
    }
    const show = (messages: readonly Uint8Array[]) =>
      decodeResponses(stream, messages, MOST_FIELDS).map((one) =>
        responseJson(registry, stream, one),
      );
    const shown = show(bytes);
    const isShown = shown.every((one) => typeof one === "object");
    if (isShown) assert.deepEqual(show(encodeRequests(registry, stream, shown)), shown);
  },
});

const SAMPLES = (
  [
    {},
    { aString: "x", aInt64: "7", list: ["a", "b"], tags: { a: 1 }, kind: "SOME", one: "x" },
    {
      aTimestamp: "2026-01-15T12:00:00Z",
      aDuration: "1.5s",
      aStruct: { a: [1, null] },
      below: { below: { aBool: true } },
    },
    {
      aAny: { "@type": "type.googleapis.com/fuzz.All", aString: "y" },
      aFieldmask: "a,b.c",
      aStringvalue: "z",
      aBytes: "aGk=",
    },
  ] as const satisfies readonly JsonValue[]
).map((json) =>
  Buffer.from(toBinary(unary.input, fromJson(unary.input, json, { registry }))).toString("hex"),
);

/** Bytes are a message that can be shown, or a malformed reply. */
export const replyBytes = defineProperty({
  name: "reply-bytes",
  runs: 200,
  input: fc.oneof(mutatedHex(SAMPLES), anyHex(60)),
  check(hex) {
    try {
      const [message] = decodeResponses(unary, [bytesOf(hex)], MOST_FIELDS);
      const shown = JSON.stringify(responseJson(registry, unary, message ?? assert.fail()));
      assert.ok(shown.length < 1_000_000);
    } catch (thrown) {
      assert.ok(thrown instanceof CallError, String(thrown));
      assert.ok(["malformed_reply", "message_too_large"].includes(thrown.fault.reason));
    }
  },
});

const PRINTED = [Buffer.from(toBinary(FileDescriptorProtoSchema, FILE)).toString("hex")];

/** The same file as a set: one field, number 1. */
function setOf(file: Uint8Array): Buffer {
  const length: number[] = [];
  for (let left = file.length; ; left >>>= 7) {
    length.push(left > 127 ? (left & 127) | 128 : left);
    if (left <= 127) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), file]);
}

/** Descriptors of a stranger are a registry, all of which can be described, or a fault. */
export const descriptorBytes = defineProperty({
  name: "descriptor-bytes",
  runs: 30,
  input: mutatedHex(PRINTED, 10),
  check(hex) {
    try {
      const set = setOf(bytesOf(hex));
      const found = registryFromSet(set);
      for (const { typeName } of found) {
        const text = describeSymbol(found, typeName) ?? "";
        // Names go to a terminal.
        assert.doesNotMatch(text.replaceAll("\n", ""), /\p{C}/u);
      }
    } catch (thrown) {
      assert.ok(thrown instanceof CallError, String(thrown));
      assert.equal(thrown.fault.reason, "descriptor");
    }
  },
});
