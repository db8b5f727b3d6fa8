import { create, fromBinary, fromJsonString, toBinary, toJsonString } from "@bufbuild/protobuf";
import {
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  TimestampSchema,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { describeSymbol } from "../../src/grpc/describe.ts";
import { methodsInSet, registryFromFiles, registryFromSet } from "../../src/grpc/descriptors.ts";
import { orderFiles } from "../support/grpc-server.ts";

/** Two packages; the second refers to the first and to a well-known type by relative names. */
const money = file("money.proto", "shop.money", ["Amount"]);
const shop = create(FileDescriptorProtoSchema, {
  name: "shop.proto",
  package: "shop",
  syntax: "proto3",
  messageType: [
    {
      name: "Order",
      nestedType: [{ name: "Line", field: [message("amount", "money.Amount", 1)] }],
      field: [
        message("line", "Line", 1),
        message("at", "google.protobuf.Timestamp", 2),
        { ...message("note", "", 3), type: Type.STRING, oneofIndex: 0 },
      ],
      oneofDecl: [{ name: "_note" }],
    },
  ],
});

describe("a registry", () => {
  it("takes a descriptor set as it is", () => {
    const set = create(FileDescriptorSetSchema, { file: [...orderFiles()] });
    expect(methodsInSet(toBinary(FileDescriptorSetSchema, set))).toEqual([
      "order.OrderService/GetOrder",
      "order.OrderService/AddOrder",
      "order.OrderService/SearchOrders",
      "order.OrderService/UpdateOrders",
      "order.OrderService/ProcessOrders",
    ]);
  });

  it("resolves relative names, derives the imports and finds optional fields again", () => {
    const registry = registryFromFiles([shop, money]);
    const order = registry.getMessage("shop.Order")!;
    const json = `{"line":{"amount":{}},"at":"2026-01-05T00:00:00Z","note":""}`;
    const bytes = toBinary(order, fromJsonString(order, json));
    expect(toJsonString(order, fromBinary(order, bytes))).toBe(json);
    expect(registry.getFile("shop.proto")?.dependencies.map(({ proto }) => proto.name)).toEqual([
      "google/protobuf/timestamp.proto",
      "money.proto",
    ]);
  });

  it("looks a name up from the innermost scope outwards", () => {
    const outer = file("outer.proto", "shop", ["Line"]);
    const order = registryFromFiles([shop, money, outer]).getMessage("shop.Order")!;
    expect(order.field["line"]?.message?.typeName).toBe("shop.Order.Line");
  });

  it("prefers our well-known types to a server's", () => {
    const half = file("google/protobuf/timestamp.proto", "google.protobuf", ["Timestamp"]);
    const registry = registryFromFiles([half, shop, money]);
    expect(registry.getMessage("google.protobuf.Timestamp")?.fields).toHaveLength(
      TimestampSchema.fields.length,
    );
  });

  it("takes messages that hold each other, and themselves", () => {
    const ring = create(FileDescriptorProtoSchema, {
      name: "ring.proto",
      package: "ring",
      syntax: "proto3",
      messageType: [
        { name: "A", field: [message("b", ".ring.B", 1), message("a", ".ring.A", 2)] },
        { name: "B", field: [message("a", ".ring.A", 1)] },
      ],
    });
    const a = registryFromFiles([ring]).getMessage("ring.A")!;
    expect(a.field["b"]?.message?.field["a"]?.message).toBe(a);
  });

  it.each([
    ["has files that import each other", () => registryFromFiles(eachOther())],
    ["names a type longer than any", () => registryFromFiles([named("x".repeat(501))])],
    ["stands in a package longer than any", () => registryFromFiles([packaged("a.".repeat(250))])],
    ["refers to a name longer than any", () => registryFromFiles([referring("x".repeat(501))])],
    ["makes a search of each reference", () => registryFromFiles([searching(3_000)])],
    ["refers to a type that nobody declares", () => registryFromFiles([shop])],
    ["is no descriptor set", () => registryFromSet(Uint8Array.of(255, 1, 2))],
  ])("is refused when it %s", (_what, build) => {
    expect(build).toThrow(
      expect.objectContaining({ fault: expect.objectContaining({ reason: "descriptor" }) }),
    );
  });
});

describe("a description", () => {
  const registry = registryFromFiles(orderFiles());

  it.each([
    [
      "order.OrderService",
      `order.OrderService is a service:
service OrderService {
  rpc AddOrder ( .order.Order ) returns ( .order.AddOrderResponse );
  rpc GetOrder ( .order.GetOrderRequest ) returns ( .order.Order ) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc ProcessOrders ( stream .order.ProcessOrdersRequest ) returns ( stream .order.CombinedShipment );
  rpc SearchOrders ( .order.SearchOrdersRequest ) returns ( stream .order.Order ) {
    option idempotency_level = NO_SIDE_EFFECTS;
  }
  rpc UpdateOrders ( stream .order.Order ) returns ( .order.UpdateOrdersResponse );
}`,
    ],
    [
      "order.OrderService/GetOrder",
      `order.OrderService.GetOrder is a method:
rpc GetOrder ( .order.GetOrderRequest ) returns ( .order.Order ) {
  option idempotency_level = NO_SIDE_EFFECTS;
}`,
    ],
    [
      ".order.Order",
      `order.Order is a message:
message Order {
  string id = 1;
  repeated string items = 2;
  string description = 3;
  double price = 4;
  string destination = 5;
  optional int64 priority = 6;
}`,
    ],
    ["order.Order.price", "order.Order.price is a field:\ndouble price = 4;"],
    ["order.Nothing", undefined],
    ["order.Order.nothing", undefined],
    ["order.OrderService.Nothing", undefined],
  ])("of %s is grpcurl's", (symbol, text) => {
    expect(describeSymbol(registry, symbol)).toBe(text);
  });
});

function file(name: string, scope: string, messages: readonly string[]): FileDescriptorProto {
  const messageType = messages.map((each) => ({ name: each }));
  return create(FileDescriptorProtoSchema, { name, package: scope, syntax: "proto3", messageType });
}

function message(name: string, typeName: string, number: number) {
  return { name, typeName, number, label: Label.OPTIONAL, type: Type.MESSAGE, jsonName: name };
}

function named(name: string): FileDescriptorProto {
  return file("named.proto", "a", [name]);
}

function packaged(scope: string): FileDescriptorProto {
  return file("packaged.proto", scope, ["M"]);
}

function referring(reference: string): FileDescriptorProto {
  return withFields("referring.proto", "a", [message("f", reference, 1)]);
}

/** Relative references that nobody declares, each looked for in two hundred scopes. */
function searching(count: number): FileDescriptorProto {
  const fields = Array.from({ length: count }, (_, index) =>
    message(`f${index}`, "Gone", index + 1),
  );
  return withFields("searching.proto", Array(200).fill("a").join("."), fields);
}

function eachOther(): readonly FileDescriptorProto[] {
  return [
    withFields("a.proto", "a", [message("b", ".b.M", 1)]),
    withFields("b.proto", "b", [message("a", ".a.M", 1)]),
  ];
}

function withFields(
  name: string,
  scope: string,
  field: readonly ReturnType<typeof message>[],
): FileDescriptorProto {
  return create(FileDescriptorProtoSchema, {
    name,
    package: scope,
    syntax: "proto3",
    messageType: [{ name: "M", field: [...field] }],
  });
}
