import { create } from "@bufbuild/protobuf";
import {
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FileDescriptorProtoSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { assertionFault } from "../../src/grpc/assertion-fault.ts";
import { registryFromFiles } from "../../src/grpc/descriptors.ts";
import { orderFiles } from "../support/grpc-server.ts";

/** An answer with a field of each kind. */
const field = (number: number, name: string, rest: Partial<FieldDescriptorProto>) =>
  create(FieldDescriptorProtoSchema, {
    number,
    name,
    jsonName: name,
    label: Label.OPTIONAL,
    ...rest,
  } as never);
const answerFile = create(FileDescriptorProtoSchema, {
  name: "shop.proto",
  package: "shop",
  syntax: "proto3",
  enumType: [
    {
      name: "Status",
      value: [
        { name: "NEW", number: 0 },
        { name: "PAID", number: 1 },
      ],
    },
  ],
  messageType: [
    {
      name: "Answer",
      nestedType: [
        {
          name: "FlagsEntry",
          options: { mapEntry: true },
          field: [field(1, "key", { type: Type.STRING }), field(2, "value", { type: Type.BOOL })],
        },
      ],
      field: [
        field(1, "ok", { type: Type.BOOL }),
        field(2, "count", { type: Type.INT32 }),
        field(3, "state", { type: Type.ENUM, typeName: ".shop.Status" }),
        field(4, "next", { type: Type.MESSAGE, typeName: ".shop.Answer" }),
        field(5, "oks", { type: Type.BOOL, label: Label.REPEATED }),
        field(6, "all", { type: Type.MESSAGE, typeName: ".shop.Answer", label: Label.REPEATED }),
        field(7, "flags", {
          type: Type.MESSAGE,
          typeName: ".shop.Answer.FlagsEntry",
          label: Label.REPEATED,
        }),
      ],
    },
  ],
});
const registry = registryFromFiles([answerFile, ...orderFiles()]);
const typed = (expression: string) =>
  assertionFault(expression, { registry, output: registry.getMessage("shop.Answer")! });

/** Each operator and function of the library, at least once. */
it.each([
  "true",
  "response.ok",
  "response.next.next.ok && !response.ok",
  "response.oks[0]",
  "response.flags['a'] || response.flags.b",
  "has(response.next)",
  "response.count > 1 ? response.ok : 1 < 2",
  "response.all.all(a, a.ok) && response.all.exists(a, a.count == 1)",
  "response.all.exists_one(a, a.state == 1)",
  "response.all.filter(a, a.ok).map(a, a.count).exists(c, c > 1)",
  "response.flags.all(key, key != '')",
  "response.state == shop.Status.PAID",
  "responses.all(r, r.ok && r.next.ok)",
  "size(responses) == 1 || 1 in [1, 2]",
  "headers['a'].matches('b') && trailers.a.contains('b')",
  "status.startsWith('O') && status.endsWith('K') && bool('true')",
  "latency < duration('1s') && timestamp('2027-01-15T00:00:00Z').getFullYear() == 2027",
  "int('1') + 2 - 3 * 4 / 5 % 6 == -7 && uint(1) != 2u && double('1') >= 1.0 && 1.0 <= 2.0",
  "string(1) == bytes('1') || type(1) == int || dyn(1) == 1 || dyn(response.ok)",
  "strings.quote('a').charAt(0) == 'a'.lowerAscii().upperAscii().trim()",
  "'a'.indexOf('a') == 'a'.lastIndexOf('a') || 'a'.replace('a', 'b') == 'a'.substring(0)",
  "'a b'.split(' ').join('') == '%s'.format(['a'])",
  "response == null || response.next == null",
  "response == shop.Answer{ok: true}",
])("finds nothing wrong in %s", (expression) => {
  expect([typed(expression), assertionFault(expression)]).toEqual([undefined, undefined]);
});

const NEVER = "it is never true or false";
const PART = "a part of it that must be is never true or false";

it.each([
  ["1 + 1", NEVER],
  ["'OK'", NEVER],
  ["status", NEVER],
  ["headers['a']", NEVER],
  ["responses.map(r, r.ok)", NEVER],
  ["[true]", NEVER],
  ["size(responses)", NEVER],
  ["responses", NEVER],
  ["true ? 1 : 2", NEVER],
  ["status && true", PART],
  ["!size(responses)", PART],
  ["responses.all(r, 1)", PART],
  ["1 ? true : false", PART],
  [
    "foo == 1",
    "nothing is called foo there, but response, responses, headers, trailers, status, latency",
  ],
  ["len(responses) == 1", "there is no function len"],
])("refuses %s, whatever the types are", (expression, fault) => {
  expect([assertionFault(expression), typed(expression)]).toEqual([fault, fault]);
});

it.each([
  [
    "responses.all(r, s.ok)",
    "nothing is called s there, but response, responses, headers, trailers, status, latency, r",
  ],
  ["response.count", NEVER],
  ["response.state", NEVER],
  ["response.next", NEVER],
  ["response", NEVER],
  ["response.oks", NEVER],
  ["response.coun > 1", "shop.Answer has no field coun; did you mean count?"],
  ["has(response.zzz)", "shop.Answer has no field zzz"],
  ["responses[0].next.kount == 1", "shop.Answer has no field kount; did you mean count?"],
  ["response.all.all(a, a.okk)", "shop.Answer has no field okk; did you mean ok?"],
  [
    "foo.bar == 1",
    "nothing is called foo there, but response, responses, headers, trailers, status, latency",
  ],
])("refuses %s by the types of the answer alone", (expression, fault) => {
  expect([assertionFault(expression), typed(expression)]).toEqual([undefined, fault]);
});
