import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { LAZY_TOOLS } from "../../src/cli/lazy-tools.ts";
import { orderFiles } from "../support/grpc-server.ts";
import { runLine } from "./run-line.ts";

const folder = mkdtempSync(join(tmpdir(), "grpc-doctor-"));
const set = create(FileDescriptorSetSchema, { file: [...orderFiles()] });
writeFileSync(join(folder, "orders.binpb"), toBinary(FileDescriptorSetSchema, set));
writeFileSync(join(folder, "text.binpb"), "not a set");
const file = join(folder, "config.yaml");
const check = (protoset: string, method: string, that: string) => {
  const target = `targets: [{ name: app, address: "localhost:50051", protoset: ${protoset} }]`;
  const expectation = `{ that: [${JSON.stringify(that)}] }`;
  writeFileSync(
    file,
    `${target}\nprobes: [{ name: p, target: app, method: ${method}, expect: ${expectation} }]\n`,
  );
  return runLine(["config", "check", file], {}, LAZY_TOOLS);
};

it("accepts a method of the descriptor set and an expression of CEL", async () => {
  const outcome = await check(
    "orders.binpb",
    "order.OrderService/GetOrder",
    "response.price > 0.0",
  );
  expect(outcome).toEqual({ exit: 0, stdout: `${file}: fine (1 target, 1 probe)\n`, stderr: "" });
});

it.each([
  [
    "a method that the set lacks",
    "orders.binpb",
    "order.OrderService/GetOrdr",
    "true",
    "did you mean order.OrderService/GetOrder?",
  ],
  [
    "a file that is no set",
    "text.binpb",
    "a.B/C",
    "true",
    "targets[0].protoset: found text.binpb (no descriptor set, or an incomplete one)",
  ],
  [
    "bad CEL",
    "orders.binpb",
    "order.OrderService/GetOrder",
    "response.price >",
    "probes[0].expect.that[0]",
  ],
  [
    "an assertion on a field that the answer lacks",
    "orders.binpb",
    "order.OrderService/GetOrder",
    "response.prize > 0.0",
    'probes[0].expect.that[0]: found "response.prize > 0.0" (order.Order has no field prize; did you mean price?), allowed: a CEL expression over order.Order that is true or false',
  ],
  [
    "an assertion that is a number",
    "orders.binpb",
    "order.OrderService/GetOrder",
    "1 + 1",
    'found "1 + 1" (it is never true or false), allowed: a CEL expression that is true or false',
  ],
])("refuses %s", async (_what, protoset, method, that, part) => {
  const { exit, stderr } = await check(protoset, method, that);
  expect(exit).toBe(3);
  expect(stderr).toContain(part);
  expect(stderr).toMatch(/\n1 fault\n$/);
});

describe("holds a request to the types of the descriptor set", () => {
  const target = `targets: [{ name: app, address: "localhost:50051", protoset: orders.binpb }]`;
  const told = async (method: string, request: string) => {
    writeFileSync(
      file,
      `${target}\nprobes: [{ name: p, target: app, method: order.OrderService/${method}, request: ${request} }]\n`,
    );
    return (await runLine(["config", "check", file], {}, LAZY_TOOLS)).stderr;
  };
  writeFileSync(join(folder, "misspelt.json"), '{ "idd": "a" }');

  it.each([
    ["GetOrder", "{ id: a }"],
    ["AddOrder", "{ id: a, items: [tea], price: 1.5 }"],
    ["UpdateOrders", "[{ id: a }, { price: 2 }]"],
  ])("and accepts what fits %s: %s", async (method, request) => {
    expect(await told(method, request)).toBe("");
  });

  it.each([
    [
      "GetOrder",
      "{ idd: a }",
      "2:82: probes[0].request.idd: found an unknown field, idd, allowed: a field of order.GetOrderRequest: id (did you mean id?)",
    ],
    [
      "UpdateOrders",
      "[{ id: a }, { prize: 2 }]",
      "2:98: probes[0].request[1].prize: found an unknown field, prize, allowed: a field of order.Order: id, items, description, price, destination, priority (did you mean price?)",
    ],
    [
      "GetOrder",
      "'@misspelt.json'",
      "2:80: probes[0].request: found an unknown field, idd, allowed: a field of order.GetOrderRequest: id",
    ],
    [
      "AddOrder",
      "{ price: much }",
      '2:80: probes[0].request: found cannot decode field order.Order.price from JSON: expected number (float64), got "…", allowed: ProtoJSON of order.Order',
    ],
    [
      "GetOrder",
      "[{}, {}]",
      "2:80: probes[0].request: found GetOrder takes one message, not 2, allowed: ProtoJSON of order.GetOrderRequest",
    ],
  ])("and refuses what does not fit %s: %s", async (method, request, fault) => {
    expect(await told(method, request)).toBe(`${file}:${fault}\n1 fault\n`);
  });
});

it("has the codes of the registry, and loads CEL only for a file that uses it", async () => {
  expect((await LAZY_TOOLS.detectors()).length).toBeGreaterThan(0);
  expect(await LAZY_TOOLS.expressions("targets: []")).toEqual({});
});
