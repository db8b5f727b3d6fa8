import { create } from "@bufbuild/protobuf";
import { TimestampSchema } from "@bufbuild/protobuf/wkt";
import { expect, it } from "vitest";
import { instantOf, narrowed, socketEnd } from "../../src/grpc/channelz-values.ts";
import { AddressSchema } from "../../src/grpc/gen/grpc/channelz/v1/channelz_pb.js";

it.each([
  [undefined, 0],
  [-1n, 0],
  [7n, 7],
  [2n ** 53n - 1n, 2 ** 53 - 1],
  [2n ** 63n - 1n, 2 ** 53 - 1],
])("narrows %s to %s", (value, number) => {
  expect(narrowed(value)).toBe(number);
});

it.each([
  ["unset", undefined, undefined],
  ["the year 1, as old Go says never", { seconds: -62_135_596_800n }, undefined],
  ["1970, as Go and Java say never", { seconds: 0n }, undefined],
  ["beyond the last instant", { seconds: 2n ** 62n }, undefined],
  ["a time", { seconds: 1_768_478_400n, nanos: 250_000_000 }, 1_768_478_400_250],
])("reads a timestamp that is %s", (_what, timestamp, instant) => {
  expect(instantOf(timestamp && create(TimestampSchema, timestamp))).toBe(instant);
});

const tcp = (bytes: readonly number[], port: number) =>
  ({ case: "tcpipAddress", value: { ipAddress: Uint8Array.from(bytes), port } }) as const;
const zeros = (count: number) => Array.from({ length: count }, () => 0);

it.each([
  ["nothing", undefined, undefined],
  ["IPv4", tcp([10, 0, 0, 1], 4), { host: "10.0.0.1", port: 4 }],
  ["IPv6", tcp([...zeros(15), 1], 4), { host: "::1", port: 4 }],
  [
    "IPv4 mapped into IPv6",
    tcp([...zeros(10), 255, 255, 10, 0, 0, 1], 4),
    { host: "10.0.0.1", port: 4 },
  ],
  ["no port", tcp([10, 0, 0, 1], -1), { host: "10.0.0.1" }],
  ["an address of three bytes", tcp([10, 0, 0], 4), undefined],
  [
    "a unix socket",
    { case: "udsAddress", value: { filename: "/a" } } as const,
    { host: "unix:/a" },
  ],
])("reads the address of %s", (_what, address, end) => {
  expect(socketEnd(address && create(AddressSchema, { address }))).toEqual(end);
});
