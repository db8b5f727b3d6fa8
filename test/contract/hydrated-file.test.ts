import { create, type DescFile, fromBinary, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, file_google_protobuf_struct } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { hydratedFile } from "../../.ci/bundle/hydrated-file.mjs";
import { writtenFile } from "../../.ci/bundle/written-file.mjs";
import {
  ChannelSchema,
  file_grpc_channelz_v1_channelz,
} from "../../src/grpc/gen/grpc/channelz/v1/channelz_pb.js";
import { file_grpc_health_v1_health } from "../../src/grpc/gen/grpc/health/v1/health_pb.js";
import { file_grpc_reflection_v1_reflection } from "../../src/grpc/gen/grpc/reflection/v1/reflection_pb.js";

/** As the bundle has it: through the text of a program. */
function inTheBundle(file: DescFile): DescFile {
  return hydratedFile(JSON.parse(JSON.stringify(writtenFile(file))), file.dependencies);
}

describe("a descriptor that was written when the bundle was built", () => {
  it.each([
    file_grpc_health_v1_health,
    file_grpc_channelz_v1_channelz,
    file_grpc_reflection_v1_reflection,
    file_google_protobuf_struct,
  ])("is the library's: $name", (file) => {
    const { proto, messages, services } = inTheBundle(file);
    expect(proto).toStrictEqual(file.proto);
    expect(toBinary(FileDescriptorProtoSchema, proto)).toEqual(
      toBinary(FileDescriptorProtoSchema, file.proto),
    );
    const names = (of: readonly { readonly typeName: string }[]) => of.map((one) => one.typeName);
    expect(names(messages)).toEqual(names(file.messages));
    expect(names(services)).toEqual(names(file.services));
  });

  it("reads what the library wrote, fields of another file among it", () => {
    const channel = {
      ref: { channelId: 7n, name: "seven" },
      data: { callsStarted: 3n, lastCallStartedTimestamp: { seconds: 1_700_000_000n, nanos: 5 } },
    };
    const bytes = toBinary(ChannelSchema, create(ChannelSchema, channel));
    const schema = inTheBundle(file_grpc_channelz_v1_channelz).messages[0];
    expect(schema).toMatchObject({ typeName: ChannelSchema.typeName });
    expect(fromBinary(schema as typeof ChannelSchema, bytes)).toStrictEqual(
      fromBinary(ChannelSchema, bytes),
    );
  });
});
