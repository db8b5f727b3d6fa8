import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, ServiceDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import {
  GetServerSocketsResponseSchema,
  GetServersResponseSchema,
  GetTopChannelsResponseSchema,
} from "../../../src/grpc/gen/grpc/channelz/v1/channelz_pb.js";
import { HealthListResponseSchema } from "../../../src/grpc/gen/grpc/health/v1/health_pb.js";
import { ServerReflectionResponseSchema } from "../../../src/grpc/gen/grpc/reflection/v1/reflection_pb.js";
import { answers, type Handler, SERVING, startFaultyServer } from "../../support/faulty-server.ts";
import { endless } from "../../support/hostile/endless.ts";
import { channelzPath, says, vastChannelz } from "../../support/hostile/vast-channelz.ts";
import type { Gallery, HostileCase } from "../hostile-case.ts";

const KIB = 1024;
const REFLECTION = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
const PROBE = { method: "a.A/Go" };

/** Serving, but for what these say. */
function except(handlers: Readonly<Record<string, Handler>>): HostileCase {
  return async () => {
    const { address } = await startFaultyServer({ handlers: { ...WELL, ...handlers } });
    return { target: { address, channelz: { every: "2s" } }, probe: PROBE };
  };
}

const WELL: Readonly<Record<string, Handler>> = {
  "/grpc.health.v1.Health/Watch": answers.stall(SERVING),
  "/a.A/Go": answers.messages([]),
};

type Reflected = MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"];
const reflected = (messageResponse: NonNullable<Reflected>) =>
  toBinary(
    ServerReflectionResponseSchema,
    create(ServerReflectionResponseSchema, { messageResponse }),
  );

/** One file of a service `a.A`, which says that it needs itself. */
function descriptor(name: string, rest: MessageInitShape<typeof FileDescriptorProtoSchema>) {
  const method = [{ name: "Go", inputType: ".a.M", outputType: ".a.M" }];
  const service = [create(ServiceDescriptorProtoSchema, { name: "A", method })];
  const file = { name, package: "a", syntax: "proto3", dependency: [name], service, ...rest };
  return toBinary(FileDescriptorProtoSchema, create(FileDescriptorProtoSchema, file));
}

const describes = (...fileDescriptorProto: readonly Uint8Array[]) =>
  answers.messages(
    reflected({
      case: "fileDescriptorResponse",
      value: { fileDescriptorProto: [...fileDescriptorProto] },
    }),
  );

const M = { name: "M" };
const itself = { name: "m", number: 1, type: 11, label: 3, typeName: ".a.M" } as const;
const long = "n".repeat(64 * KIB);

/** Lawful answers that are far too large, and lists that have no end. */
export const VAST: Gallery = {
  "sockets-100000": except(vastChannelz({ sockets: 100_000, channels: 0 })),
  "channels-10000": except(vastChannelz({ sockets: 0, channels: 10_000 })),
  "traces-of-megabytes": except(
    vastChannelz({
      sockets: 1,
      channels: 100,
      trace: Array.from({ length: 60 }, () => "t".repeat(KIB)),
    }),
  ),
  "lists-that-stand-still": except({
    [channelzPath("GetServers")]: says(GetServersResponseSchema, {
      server: [{ ref: { serverId: 1n }, data: {} }],
    }),
    [channelzPath("GetServerSockets")]: says(GetServerSocketsResponseSchema, {
      socketRef: [{ socketId: 1n }],
    }),
    [channelzPath("GetTopChannels")]: says(GetTopChannelsResponseSchema, {
      channel: [{ ref: { channelId: 1n } }],
    }),
  }),
  "names-of-64-kib": except({
    [channelzPath("GetServers")]: says(GetServersResponseSchema, {
      server: [{ ref: { serverId: 1n, name: long }, data: {}, listenSocket: [{ name: long }] }],
      end: true,
    }),
    [channelzPath("GetTopChannels")]: says(GetTopChannelsResponseSchema, {
      channel: [{ ref: { channelId: 1n, name: long }, data: { target: long } }],
      end: true,
    }),
    "/grpc.health.v1.Health/List": says(HealthListResponseSchema, {
      statuses: { [long]: { status: 1 }, [`${long}2`]: { status: 2 } },
    }),
    [REFLECTION]: describes(descriptor(long, { messageType: [{ name: long }] })),
  }),
  "reflection-without-end": except({
    [REFLECTION]: endless(
      reflected({ case: "listServicesResponse", value: { service: [{ name: "a.A" }] } }),
    ),
  }),
  "services-10000": except({
    [REFLECTION]: answers.messages(
      reflected({
        case: "listServicesResponse",
        value: { service: Array.from({ length: 10_000 }, (_, n) => ({ name: `a.A${n}` })) },
      }),
    ),
  }),
  "descriptors-of-themselves": except({
    [REFLECTION]: describes(descriptor("a.proto", { messageType: [{ ...M, field: [itself] }] })),
  }),
  "descriptors-of-others": except({
    // Each question is answered with a file that needs two more.
    [REFLECTION]: (stream, headers) => {
      const name = `f${files++}.proto`;
      const dependency = [`f${files * 2}.proto`, `f${files * 2 + 1}.proto`];
      describes(descriptor(name, { dependency, messageType: [M] }))(stream, headers);
    },
  }),
  "descriptors-of-megabytes": except({
    [REFLECTION]: describes(
      descriptor("a.proto", {
        messageType: Array.from({ length: 20_000 }, (_, n) => ({ name: `M${n}`, field: [itself] })),
      }),
    ),
  }),
};

let files = 0;
