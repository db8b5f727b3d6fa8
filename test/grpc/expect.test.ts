import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { registryFromFiles } from "../../src/grpc/descriptors.ts";
import { expressionFault, firstUnmet, type Outcome } from "../../src/grpc/expect.ts";
import { orderFiles } from "../support/grpc-server.ts";

const registry = registryFromFiles(orderFiles());
const Order = registry.getMessage("order.Order")!;
const order = (json: JsonValue) => fromJson(Order, json, { registry });
const outcome: Outcome = {
  responses: [order({ id: "order-123", price: 12.5, items: ["tea"], priority: "3" })],
  headers: [["x-served-by", "a"]],
  trailers: [
    ["x-cost", "1"],
    ["x-cost", "2"],
  ],
  status: "OK",
  latencyMs: 120.5,
};
const unmet = (...that: readonly string[]) => firstUnmet(that, outcome, registry);

it.each([
  "response.price > 0.0",
  "response.priority == 3",
  "response.id.startsWith('order-') && size(response.items) == 1",
  "responses.all(each, each.price < 20.0)",
  "responses.map(each, each.price) == [12.5]",
  "headers['x-served-by'] == 'a'",
  "trailers['x-cost'] == '1, 2'",
  "status == 'OK'",
  "latency < duration('200ms')",
  "latency > duration('120ms')",
])("holds: %s", (expression) => {
  expect(unmet(expression)).toBeUndefined();
});

describe("names the first that does not hold", () => {
  it.each([
    ["a number", "response.price > 20.0", "response.price = 12.5"],
    ["an integer", "response.priority == 4", "response.priority = 3"],
    ["a text by its length alone", "response.id == 'x'", "response.id = a text of 9 characters"],
    ["a list", "response.items.map(i, size(i)) == [9]", "the left side = no truth value"],
    ["no comparison", "response.items.exists(i, i == 'milk')", "false"],
    ["no truth value", "response.price", "12.5"],
  ])("with %s", (_what, assertion, actual) => {
    expect(unmet("status == 'OK'", assertion, "false")).toEqual({ assertion, actual });
  });

  it.each([
    ["a field that is not there", "response.prize > 0.0"],
    ["a key that is not there", "headers['nope'] == 'a'"],
    ["types that do not compare", "response.price > 'a'"],
    ["no CEL", "response.price >"],
  ])("with the error of %s", (_what, assertion) => {
    expect(unmet(assertion)).toEqual({ assertion, actual: expect.stringMatching(/^error: .+/) });
  });

  it("when there is no response", () => {
    const empty = { ...outcome, responses: [] };
    expect(firstUnmet(["response != null"], empty, registry)).toEqual({
      assertion: "response != null",
      actual: "response = null",
    });
    expect(firstUnmet(["size(responses) == 0"], empty, registry)).toBeUndefined();
  });
});

it("keeps nothing of the answer's text", () => {
  const secret = { ...outcome, responses: [create(Order, { id: "hunter2" } as never)] };
  const found = firstUnmet(["response.id == 'x'"], secret, registry);
  expect(JSON.stringify(found)).not.toContain("hunter2");
});

it.each([
  ["response.price > 0.0", undefined],
  ["latency < duration('200ms')", undefined],
  ["response.price >", expect.any(String)],
])("checks %s before it is used", (expression, fault) => {
  expect(expressionFault(expression)).toEqual(fault);
});
