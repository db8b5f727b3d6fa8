import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, ServiceDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { afterEach, expect, it } from "vitest";
import { registryFromFiles } from "../../src/grpc/descriptors.ts";
import { ServerReflectionResponseSchema } from "../../src/grpc/gen/grpc/reflection/v1/reflection_pb.js";
import { listServices, readFiles, readMethods } from "../../src/grpc/reflection.ts";
import { systemClock } from "../../src/schedule/clock.ts";
import { answers, type Handler, startFaultyServer } from "../support/faulty-server.ts";
import { startGrpcServer } from "../support/grpc-server.ts";
import { endless } from "../support/hostile/endless.ts";
import { aLook } from "../support/look.ts";
import { aTarget } from "../support/targets.ts";

const V1 = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const V1_ALPHA = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
const limits = {
  clock: systemClock,
  /** Of each question anew. */
  get signal() {
    return systemClock.deadline(10_000);
  },
};
const ending: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

type Answer = MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"];
const bytes = (messageResponse: NonNullable<Answer>) =>
  toBinary(
    ServerReflectionResponseSchema,
    create(ServerReflectionResponseSchema, { messageResponse }),
  );
const says = (...all: readonly NonNullable<Answer>[]) => answers.messages(...all.map(bytes));
const lists = (...names: readonly string[]) =>
  ({ case: "listServicesResponse", value: { service: names.map((name) => ({ name })) } }) as const;
const errs = (errorCode: number) =>
  ({ case: "errorResponse", value: { errorCode, errorMessage: "symbol not found" } }) as const;

/** Answers in turn, one call each. */
const inTurn = (...handlers: readonly Handler[]): Handler => {
  const left = [...handlers];
  return (stream, headers) => left.shift()?.(stream, headers);
};

async function scripted(handlers: Readonly<Record<string, Handler>>) {
  const server = await startFaultyServer({ handlers });
  const look = aLook(aTarget(server.address));
  ending.push(look.close, server.stop);
  return { server, connection: await look.connection() };
}

it("reads what grpc-js describes, into a registry that works", async () => {
  const server = await startGrpcServer();
  const look = aLook(server.target());
  ending.push(look.close, server.stop);
  const connection = await look.connection();
  expect(await listServices(connection, limits)).toEqual(["order.OrderService"]);
  const files = await readFiles(connection, "order.OrderService", limits);
  expect(registryFromFiles(files).getService("order.OrderService")?.methods).toHaveLength(5);
});

it("asks v1alpha where v1 is unimplemented, and remembers it", async () => {
  const { server, connection } = await scripted({
    [V1]: answers.status(12),
    [V1_ALPHA]: says(lists("b.B", "a.A")),
  });
  expect(await listServices(connection, limits)).toEqual(["a.A", "b.B"]);
  await listServices(connection, limits);
  expect(server.calls.map((headers) => headers[":path"])).toEqual([V1, V1_ALPHA, V1_ALPHA]);
});

it("half-closes its streams: a careful server has nothing to complain of", async () => {
  const { server, connection } = await scripted({ [V1]: says(lists("a.A")) });
  await listServices(connection, limits);
  expect(server.complaints).toEqual([]);
});

it("takes the first of several answers", async () => {
  const { connection } = await scripted({ [V1]: says(lists("a.A"), lists("b.B")) });
  expect(await listServices(connection, limits)).toEqual(["a.A"]);
});

const file = (name: string, dependency: readonly string[] = []) =>
  toBinary(
    FileDescriptorProtoSchema,
    create(FileDescriptorProtoSchema, {
      name,
      package: "a",
      syntax: "proto3",
      dependency: [...dependency],
      service: [
        create(ServiceDescriptorProtoSchema, {
          name: "A",
          method: [{ name: "Go", inputType: ".a.M", outputType: ".a.M", serverStreaming: true }],
        }),
      ],
      messageType: [{ name: "M" }],
    }),
  );
const files = (...fileDescriptorProto: readonly Uint8Array[]) =>
  says({
    case: "fileDescriptorResponse",
    value: { fileDescriptorProto: [...fileDescriptorProto] },
  });

it("asks for each import once, where the server does not send them along", async () => {
  const { server, connection } = await scripted({
    [V1]: inTurn(
      files(file("a.proto", ["b.proto", "gone.proto"])),
      files(file("b.proto", ["a.proto", "b.proto", "gone.proto"])),
      says(errs(5)),
    ),
  });
  const read = await readFiles(connection, "a.A", limits);
  expect(read.map(({ name }) => name)).toEqual(["a.proto", "b.proto"]);
  expect(server.calls).toHaveLength(3);
});

it("reads the methods of those services whose descriptors the server has", async () => {
  const { connection } = await scripted({
    [V1]: inTurn(
      says(lists("a.A", "a.Missing", "grpc.health.v1.Health")),
      files(file("a.proto")),
      says(errs(5)),
    ),
  });
  expect(await readMethods(connection, limits)).toEqual([
    { name: "a.A/Go", kind: "server-streaming" },
  ]);
});

it.each([
  [
    "an error",
    says(errs(5)),
    { reason: "descriptor", status: "NOT_FOUND", statusText: "symbol not found" },
  ],
  ["another answer", says(lists()), { reason: "malformed_reply" }],
  ["no answer", answers.messages(), { reason: "malformed_reply" }],
  ["no message", answers.messages(Uint8Array.of(255)), { reason: "malformed_reply" }],
  ["no descriptor", files(Uint8Array.of(255)), { reason: "malformed_reply" }],
  [
    "more files than a program has",
    files(...Array.from({ length: 501 }, (_, index) => file(`${index}.proto`))),
    { reason: "message_too_large" },
  ],
])("is told %s by phase and reason", async (_what, handler, fault) => {
  const { connection } = await scripted({ [V1]: handler });
  await expect(readFiles(connection, "a.A", limits)).rejects.toMatchObject({
    fault: { phase: "rpc", ...fault },
  });
});

it("leaves a server that answers one question without end", async () => {
  const { server, connection } = await scripted({ [V1]: endless(bytes(lists("a.A"))) });
  expect(await listServices(connection, limits)).toEqual(["a.A"]);
  await expect.poll(() => connection.openCalls).toBe(0);
  expect(server.calls).toHaveLength(1);
});

it("keeps no name that is none", async () => {
  const names = ["a.A", "b".repeat(65_536), "constructor", "__proto__", "c.\u001b[2J"];
  const { connection } = await scripted({ [V1]: says(lists(...names)) });
  expect(await listServices(connection, limits)).toEqual(["a.A"]);
});

it("ends with a server whose files import others without end", async () => {
  let count = 0;
  const { server, connection } = await scripted({
    [V1]: (stream, headers) => {
      count += 1;
      const more = Array.from({ length: 49 }, (_, index) => `${count}-${index}.proto`);
      files(file("same.proto", more))(stream, headers);
    },
  });
  await expect(readFiles(connection, "a.A", limits)).rejects.toMatchObject({
    fault: { phase: "rpc", reason: "message_too_large" },
  });
  expect(server.calls.length).toBeLessThan(501);
});

/** A file of so many bytes, in one message of many empty fields or in one comment. */
const ofFields = (length: number) => wide(4, Buffer.alloc(length, Uint8Array.from([0x12, 0])));
const ofText = (length: number) => wide(1, Buffer.alloc(length, 97));
const wide = (field: number, content: Uint8Array) => {
  const head = Buffer.from([field * 8 + 2, 0x80, 0x80, 0x80, 0x80, 0x00]);
  head[1] = (content.length % 128) + 128;
  head[2] = (Math.floor(content.length / 128) % 128) + 128;
  head[3] = (Math.floor(content.length / 16_384) % 128) + 128;
  return Buffer.concat([head, content]);
};

it.each([
  ["one file with more fields than a file has", files(ofFields(60_002))],
  ["files with more fields than a program has", files(...Array(6).fill(ofFields(59_000)))],
  ["more bytes than a program has", files(...Array(5).fill(ofText(512 * 1024)))],
])("refuses %s, undecoded", async (_what, handler) => {
  const { connection } = await scripted({ [V1]: handler });
  await expect(readFiles(connection, "a.A", limits)).rejects.toMatchObject({
    fault: { phase: "rpc", reason: "message_too_large" },
  });
});

it("reads the methods of a file whose messages it would refuse to build", async () => {
  const { connection } = await scripted({
    [V1]: inTurn(says(lists("a.A")), files(Buffer.concat([file("a.proto"), ofFields(1_000_000)]))),
  });
  expect(await readMethods(connection, limits)).toEqual([
    { name: "a.A/Go", kind: "server-streaming" },
  ]);
});

it.each([
  ["of too many services", Buffer.alloc(80_000, Uint8Array.from([0x32, 0]))],
  ["of bytes that are none", Uint8Array.of(255)],
])("refuses to look through a file %s", async (_what, bytesOfFile) => {
  const { connection } = await scripted({ [V1]: inTurn(says(lists("a.A")), files(bytesOfFile)) });
  await expect(readMethods(connection, limits)).rejects.toMatchObject({
    fault: { phase: "rpc", reason: "malformed_reply" },
  });
});
