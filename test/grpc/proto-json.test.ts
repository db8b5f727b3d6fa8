import { describe, expect, it } from "vitest";
import { registryFromFiles } from "../../src/grpc/descriptors.ts";
import {
  decodeResponses,
  encodeRequests,
  methodKind,
  methodNamed,
  responseJson,
} from "../../src/grpc/proto-json.ts";
import { orderFiles } from "../support/grpc-server.ts";

const registry = registryFromFiles(orderFiles());
const named = (name: string) => methodNamed(registry, `order.OrderService/${name}`)!;

it.each([
  ["GetOrder", "unary"],
  ["SearchOrders", "server-streaming"],
  ["UpdateOrders", "client-streaming"],
  ["ProcessOrders", "bidi"],
])("finds %s, which is %s", (name, kind) => {
  expect(methodKind(named(name))).toBe(kind);
});

it.each(["order.OrderService/Nope", "order.Nope/GetOrder", "GetOrder", ""])("has no %j", (name) => {
  expect(methodNamed(registry, name)).toBeUndefined();
});

describe("ProtoJSON", () => {
  it("goes to bytes and back, 64 bits as text", () => {
    const json = { id: "a", items: ["tea"], price: 1.5, priority: "9007199254740993" };
    const [bytes] = encodeRequests(registry, named("AddOrder"), [json]);
    const [message] = decodeResponses(named("GetOrder"), [bytes!], 100);
    expect(responseJson(registry, named("GetOrder"), message!)).toEqual(json);
  });

  it("may be several messages where the method takes a stream", () => {
    expect(encodeRequests(registry, named("UpdateOrders"), [{}, { id: "a" }])).toHaveLength(2);
    expect(encodeRequests(registry, named("UpdateOrders"), [])).toEqual([]);
  });

  it.each([
    ["a misspelt field", "GetOrder", [{ idd: "a" }], /idd/],
    ["a wrong type", "AddOrder", [{ price: "much" }], /price/],
    ["two messages for one", "GetOrder", [{}, {}], /takes one message, not 2/],
    ["no message for one", "SearchOrders", [], /takes one message, not 0/],
  ])("with %s is refused by name", (_what, method, requests, text) => {
    expect(() => encodeRequests(registry, named(method), requests)).toThrow(
      expect.objectContaining({ name: "RequestError", message: expect.stringMatching(text) }),
    );
  });
});

it.each([
  ["bytes that are no such message", "GetOrder", [Uint8Array.of(255)]],
  ["no message", "GetOrder", []],
  ["two messages", "UpdateOrders", [new Uint8Array(), new Uint8Array()]],
])("an answer of %s is malformed", (_what, method, responses) => {
  expect(() => decodeResponses(named(method), responses, 100)).toThrow(
    expect.objectContaining({ fault: expect.objectContaining({ reason: "malformed_reply" }) }),
  );
});
