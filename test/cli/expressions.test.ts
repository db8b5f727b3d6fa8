import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
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
])("refuses %s", async (_what, protoset, method, that, part) => {
  const { exit, stderr } = await check(protoset, method, that);
  expect(exit).toBe(3);
  expect(stderr).toContain(part);
  expect(stderr).toMatch(/\n1 fault\n$/);
});

it("has the codes of the registry, and loads CEL only for a file that uses it", async () => {
  expect((await LAZY_TOOLS.detectors()).length).toBeGreaterThan(0);
  expect(await LAZY_TOOLS.expressions("targets: []")).toEqual({});
});
