import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import {
  FileDescriptorSetSchema,
  FieldDescriptorProto_Label as Label,
  FieldDescriptorProto_Type as Type,
} from "@bufbuild/protobuf/wkt";
import { afterEach, expect, it } from "vitest";
import type { ProbeObservation } from "../../src/model/observation.ts";
import { closeProbes, probe } from "../../src/sources/probe.ts";
import { answers, startFaultyServer } from "../support/faulty-server.ts";
import { type GrpcServerOptions, orderFiles, startGrpcServer } from "../support/grpc-server.ts";
import { aLook, type Look } from "../support/look.ts";
import { aTarget } from "../support/targets.ts";

const METHOD = "order.OrderService/GetOrder";
const ends: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

/** Looks at a server with a probe whose types come from a file. */
async function aSetLook(address: string): Promise<readonly [Look, file: string]> {
  const folder = await mkdtemp(join(tmpdir(), "grpc-doctor-test-"));
  const file = join(folder, "orders.protoset");
  const look = aLook(aTarget(address, { protoset: file }));
  ends.push(async () => {
    await closeProbes(look.tools);
    await look.close();
    await rm(folder, { recursive: true });
  });
  return [look, file];
}

async function aServer(options: GrpcServerOptions = {}): Promise<string> {
  const server = await startGrpcServer(options);
  ends.push(() => server.stop());
  return server.address;
}

/** The order service as it is served; `drifted`: by another version of its file. */
function orders(version: "served" | "drifted"): Uint8Array {
  const files = orderFiles();
  const fields = files.flatMap((file) =>
    file.messageType.filter(({ name }) => name === "Order").flatMap(({ field }) => field),
  );
  const drift = new Map([
    ["price", { type: Type.FLOAT }],
    ["items", { label: Label.OPTIONAL, type: Type.INT64 }],
    ["destination", { name: "place" }],
  ]);
  for (const field of version === "drifted" ? fields : [])
    Object.assign(field, drift.get(field.name));
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: [...files] }));
}

async function run(look: Look) {
  const observations = await look.run(probe, {
    key: "probe/get-order",
    source: "probe",
    label: "probe/get-order",
    target: "app",
    cadence: { kind: "every", ms: 30_000 },
    deadlineMs: 10_000,
    sampleRatio: 0,
    spec: {
      name: "get-order",
      target: "app",
      method: METHOD,
      requests: [{ id: "order-123" }],
      schedule: { everyMs: 30_000 },
      deadlineMs: 2000,
      connection: "kept",
      compression: "identity",
      metadata: [],
      expect: { status: "OK", that: [] },
    },
  });
  return observations.find((each): each is ProbeObservation => each.kind === "run")!;
}

it("finds a descriptor set and a server of one version to agree", async () => {
  const [look, file] = await aSetLook(await aServer());
  await writeFile(file, orders("served"));
  expect((await run(look)).contract).toEqual({ checkedTypes: 2, differences: [] });
});

it("names what they misread, and that it is over once the file is right", async () => {
  const [look, file] = await aSetLook(await aServer());
  await writeFile(file, orders("drifted"));
  const differences = [
    "order.Order.items: int64 → repeated string",
    "order.Order.price: float → double",
  ];
  expect((await run(look)).contract).toEqual({ checkedTypes: 2, differences });
  expect((await run(look)).contract?.differences).toEqual(differences);
  await writeFile(file, orders("served"));
  expect((await run(look)).contract?.differences).toEqual([]);
});

it("tells nothing of a server that does not describe itself, and asks it once", async () => {
  const handlers = { [`/${METHOD}`]: answers.messages([]) };
  const server = await startFaultyServer({ handlers });
  ends.push(() => server.stop());
  const [look, file] = await aSetLook(server.address);
  await writeFile(file, orders("served"));
  const seen = [await run(look), await run(look), await run(look)];
  expect(seen.map(({ contract }) => contract)).toEqual([undefined, undefined, undefined]);
  const paths = server.calls.map((headers) => headers[":path"]);
  expect(paths).toEqual([
    `/${METHOD}`,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    `/${METHOD}`,
    `/${METHOD}`,
  ]);
});

it("does not ask a server that gives no answer", async () => {
  const handlers = { [`/${METHOD}`]: answers.status(14, "no healthy upstream") };
  const server = await startFaultyServer({ handlers });
  ends.push(() => server.stop());
  const [look, file] = await aSetLook(server.address);
  await writeFile(file, orders("drifted"));
  expect((await run(look)).contract).toBeUndefined();
  expect(server.calls.map((headers) => headers[":path"])).toEqual([`/${METHOD}`]);
});
