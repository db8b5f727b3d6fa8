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

  it("leaves the files that it was given as they were", () => {
    const before = toJsonString(FileDescriptorProtoSchema, shop);
    registryFromFiles([shop, money]);
    expect(toJsonString(FileDescriptorProtoSchema, shop)).toBe(before);
  });

  it.each([
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
