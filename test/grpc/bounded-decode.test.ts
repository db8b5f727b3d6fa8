import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, StructSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { decode, fieldsIn } from "../../src/grpc/bounded-decode.ts";
import {
  GetServerSocketsResponseSchema,
  GetTopChannelsResponseSchema,
} from "../../src/grpc/gen/grpc/channelz/v1/channelz_pb.js";
import { HealthListResponseSchema } from "../../src/grpc/gen/grpc/health/v1/health_pb.js";
import { faultOf } from "../support/faults.ts";

const MOST = 1_000;
const MIB = 2 ** 20;

const faultIn = (work: () => unknown) => faultOf(Promise.resolve().then(work));

/** References of sockets, each a field with one field inside. */
const references = (count: number) =>
  toBinary(
    GetServerSocketsResponseSchema,
    create(GetServerSocketsResponseSchema, {
      socketRef: Array.from({ length: count }, (_, index) => ({ socketId: BigInt(index + 1000) })),
    }),
  );

describe("a message of a server", () => {
  test("is decoded with as many fields as are allowed", () => {
    const { socketRef } = decode(GetServerSocketsResponseSchema, references(MOST / 2), MOST);

    expect(socketRef).toHaveLength(MOST / 2);
  });

  test("is refused with one field more", async () => {
    const bytes = Buffer.concat([references(MOST / 2), Buffer.from([0x10, 1])]);

    expect(await faultIn(() => decode(GetServerSocketsResponseSchema, bytes, MOST))).toEqual({
      phase: "rpc",
      reason: "message_too_large",
    });
  });

  test("counts what stands in maps, and in messages in messages", async () => {
    const struct = create(StructSchema, {
      fields: Object.fromEntries(
        Array.from({ length: 200 }, (_, index) => [
          `k${index}`,
          { kind: { case: "stringValue" as const, value: "a text that takes its room" } },
        ]),
      ),
    });
    const bytes = toBinary(StructSchema, struct);

    // The entry, its key, its value, and the text in that.
    expect(Object.keys(decode(StructSchema, bytes, 800).fields)).toHaveLength(200);
    expect((await faultIn(() => decode(StructSchema, bytes, 799))).reason).toBe(
      "message_too_large",
    );
  });

  test("may have long texts: they are one field each", () => {
    const target = "x".repeat(3 * MIB);
    const init = { channel: [{ data: { target } }] };
    const bytes = toBinary(
      GetTopChannelsResponseSchema,
      create(GetTopChannelsResponseSchema, init),
    );

    expect(decode(GetTopChannelsResponseSchema, bytes).channel[0]?.data?.target).toBe(target);
  });
});

test("long texts and bytes in a list are one field each, numbers in a list a little", async () => {
  const dependency = Array.from({ length: 10 }, () => "x".repeat(100_000));
  const publicDependency = Array.from({ length: 10_000 }, () => 0);
  const texts = toBinary(
    FileDescriptorProtoSchema,
    create(FileDescriptorProtoSchema, { dependency }),
  );
  const numbers = Buffer.concat([Buffer.from([0x52, 0x90, 0x4e]), Buffer.from(publicDependency)]);

  expect(fieldsIn(FileDescriptorProtoSchema, texts, MOST)).toBe(10);
  expect(fieldsIn(FileDescriptorProtoSchema, numbers, 10_000)).toBe(1 + 10_000 / 8);
});

describe("four mebibytes are refused unbuilt", () => {
  test.each([
    ["empty messages", [0x0a, 0]],
    ["fields that nobody knows", [0x78, 1]],
    ["groups that nobody knows", [0x7b, 0x7c]],
    ["empty strings that nobody knows", [0x7a, 0]],
  ])("of %s", async (_sentence, field) => {
    const bytes = Buffer.alloc(4 * MIB, Uint8Array.from(field));

    expect((await faultIn(() => decode(GetServerSocketsResponseSchema, bytes))).reason).toBe(
      "message_too_large",
    );
  });

  test("of empty entries of a map", async () => {
    const bytes = Buffer.alloc(4 * MIB, Uint8Array.from([0x0a, 0]));

    expect((await faultIn(() => decode(HealthListResponseSchema, bytes))).reason).toBe(
      "message_too_large",
    );
  });
});

describe("what is no such message is told as malformed", () => {
  test.each([
    ["a cut varint", Buffer.from([0x08, 0xff])],
    ["a length beyond the end", Buffer.from([0x0a, 200, 1])],
    ["a tag of number zero", Buffer.from([0x00, 0x00])],
    ["text", Buffer.from("<!doctype html>")],
    ["the same, too long to be decoded unread", Buffer.alloc(3 * MIB, "<html>")],
    ["messages in messages without end", nested(5_000)],
  ])("%s", async (_sentence, bytes) => {
    expect((await faultIn(() => decode(StructSchema, bytes))).reason).toBe("malformed_reply");
  });
});

/** A struct in a struct in a struct, as deep as that. */
function nested(depth: number): Uint8Array {
  let inner: Uint8Array = new Uint8Array();
  for (let level = 0; level < depth; level += 1) {
    const value = wrapped(5, inner);
    inner = wrapped(1, wrapped(2, value));
  }
  return inner;
}

function wrapped(field: number, bytes: Uint8Array): Uint8Array {
  const length = [];
  let rest = bytes.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) length.push((rest % 128) + 128);
  return Buffer.concat([Uint8Array.from([field * 8 + 2, ...length, rest]), bytes]);
}
