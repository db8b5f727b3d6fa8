import { expect, it } from "vitest";
import { registryFromFiles } from "../../src/grpc/descriptors.ts";
import { FittingCalls } from "../../src/grpc/fitting-call.ts";
import { methodNamed } from "../../src/grpc/proto-json.ts";
import type { ProbeSpec } from "../../src/model/probe-spec.ts";
import { orderFiles } from "../support/grpc-server.ts";

const NAME = "order.OrderService/GetOrder";
/** Types whose message has a field by another name, as after a deployment. */
const typesWith = (was: string, becomes: string) => {
  const files = orderFiles();
  const fields = files.flatMap(({ messageType }) => messageType.flatMap(({ field }) => field));
  for (const field of fields.filter(({ name }) => name === was)) {
    field.name = becomes;
    field.jsonName = becomes;
  }
  const registry = registryFromFiles(files);
  return { registry, method: methodNamed(registry, NAME)! };
};
const spec: ProbeSpec = {
  name: "get-order",
  target: "app",
  method: NAME,
  requests: [{ id: "a" }],
  schedule: { everyMs: 30_000 },
  deadlineMs: 2000,
  connection: "kept",
  compression: "identity",
  metadata: [],
  expect: { status: "OK", that: ["response.price > 0.0"] },
};
const bytes = [expect.any(Uint8Array)];

it("goes on with what fits, and with what the types of a new version no longer have", async () => {
  const calls = new FittingCalls();
  const before = typesWith("price", "price");
  expect(await calls.fit(spec, before)).toEqual(bytes);
  expect(await calls.fit(spec, before)).toEqual(bytes);
  expect(await calls.fit(spec, typesWith("price", "cost"))).toEqual(bytes);
  await expect(calls.fit(spec, typesWith("id", "order_id"))).rejects.toThrow(/"id" is unknown/);
});

it("says what is wrong with what has never fitted, until it does", async () => {
  const calls = new FittingCalls();
  const lacking = typesWith("price", "cost");
  const other = typesWith("id", "order_id");
  expect(await calls.fit(spec, lacking)).toMatchObject({ part: "assertions" });
  expect(await calls.fit(spec, lacking)).toMatchObject({ part: "assertions" });
  expect(await calls.fit(spec, other)).toMatchObject({ part: "request" });
  expect(await calls.fit(spec, typesWith("price", "price"))).toEqual(bytes);
});
