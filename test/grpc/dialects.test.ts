import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { cCore } from "../../src/grpc/dialects/c-core.ts";
import type { Dialect, Evidence } from "../../src/grpc/dialects/dialect.ts";
import { go } from "../../src/grpc/dialects/go.ts";
import { grpcJs } from "../../src/grpc/dialects/grpc-js.ts";
import { dialectOf } from "../../src/grpc/dialects/index.ts";
import { java } from "../../src/grpc/dialects/java.ts";
import { unknown } from "../../src/grpc/dialects/unknown.ts";
import { ServerSchema, SocketDataSchema } from "../../src/grpc/gen/grpc/channelz/v1/channelz_pb.js";

const listening = (name: string, data: MessageInitShape<typeof ServerSchema>["data"] = {}) =>
  create(ServerSchema, { data, listenSocket: [{ socketId: 2n, name }] });
const traced = { trace: { numEventsLogged: 1n } };

/** Each as measured on the versions that the dialects name. */
describe("an implementation is told", () => {
  it.each<[string, Evidence, string]>([
    ["by nothing", {}, "unknown"],
    ["not by a server without listen sockets", { server: create(ServerSchema) }, "unknown"],
    [
      "not by an empty UNIMPLEMENTED, which C++ and tonic share",
      { unimplementedText: "" },
      "unknown",
    ],
    [
      "not by SETTINGS that Go and grpc-js share",
      { settings: { initialWindowSize: 65_535, maxFrameSize: 16_384 } },
      "unknown",
    ],
    ["by Go's bare address and no trace", { server: listening("[::]:50051") }, "go"],
    [
      "by grpc-js's bare address and a trace",
      { server: listening("127.0.0.1:1", traced) },
      "grpc-js",
    ],
    [
      "by Java's name of a listen socket",
      { server: listening("ListenSocket{logId=2, channel=[id: 0x1, L:/[0:0:0:0:0:0:0:0]:50051]}") },
      "java",
    ],
    [
      "by C-core's name of a listen socket",
      { server: listening("chttp2 listener ipv6:%5B::%5D:50051", traced) },
      "c-core",
    ],
    ["by Go's text", { unimplementedText: "unknown method Nope for service a.B" }, "go"],
    ["by Java's text", { unimplementedText: "Method not found: a.B/Nope" }, "java"],
    ["by Python's text", { unimplementedText: "Method not found!" }, "c-core"],
    [
      "by grpc-js's text",
      { unimplementedText: "The server does not implement the method /a.B/Nope" },
      "grpc-js",
    ],
    [
      "by Java's SETTINGS",
      { settings: { initialWindowSize: 1_048_576, maxHeaderListSize: 8192 } },
      "java",
    ],
    [
      "by tonic's SETTINGS",
      { settings: { initialWindowSize: 1_048_576, maxHeaderListSize: 16_384 } },
      "tonic",
    ],
    [
      "by C-core's SETTINGS",
      { settings: { initialWindowSize: 4_194_304, maxFrameSize: 4_194_304 } },
      "c-core",
    ],
    [
      "by names before texts",
      { server: listening("[::]:50051"), unimplementedText: "Method not found!" },
      "go",
    ],
  ])("%s", (_by, evidence, implementation) => {
    expect(dialectOf(evidence).implementation).toBe(implementation);
  });
});

describe("what the peer lets a server send", () => {
  it.each<[string, Dialect, MessageInitShape<typeof SocketDataSchema>, object]>([
    [
      "Go: in remote",
      go,
      { localFlowControlWindow: 0n, remoteFlowControlWindow: 5n },
      { canSendBytes: 5 },
    ],
    ["Go: 0 is exhausted", go, { remoteFlowControlWindow: 0n }, { canSendBytes: 0 }],
    ["Go: −2 is a blocked writer", go, { remoteFlowControlWindow: -2n }, { writerBlocked: true }],
    ["Go: −1 is a closing transport", go, { remoteFlowControlWindow: -1n }, {}],
    [
      "Java: in local",
      java,
      { localFlowControlWindow: 0n, remoteFlowControlWindow: 5n },
      { canSendBytes: 0 },
    ],
    ["C-core: in local", cCore, { localFlowControlWindow: 7n }, { canSendBytes: 7 }],
    ["C-core: unset is not told", cCore, {}, {}],
    [
      "grpc-js: in remote",
      grpcJs,
      { localFlowControlWindow: 9n, remoteFlowControlWindow: 5n },
      { canSendBytes: 5 },
    ],
    [
      "grpc-js: unset beside a set one is 0",
      grpcJs,
      { localFlowControlWindow: 9n },
      { canSendBytes: 0 },
    ],
    ["grpc-js: both unset is going away", grpcJs, {}, {}],
    [
      "unknown: as the proto says",
      unknown,
      { localFlowControlWindow: 3n, remoteFlowControlWindow: 5n },
      { canSendBytes: 3 },
    ],
  ])("%s", (_what, dialect, data, window) => {
    expect(dialect.sendWindow(create(SocketDataSchema, data))).toEqual(window);
  });
});

describe("a name", () => {
  it.each<[string, Dialect["peerAddress"], string, object | undefined]>([
    ["Go's listen socket", go.listenAddress, "[::]:50051", { host: "::", port: 50_051 }],
    ["Go's unix socket", go.listenAddress, "/run/app.sock", undefined],
    ["a port that is none", go.listenAddress, "127.0.0.1:70000", undefined],
    [
      "Go's socket before 1.34",
      go.peerAddress,
      "10.0.0.1:4 -> 10.0.0.2:5",
      { host: "10.0.0.1", port: 4 },
    ],
    [
      "Java's transport",
      java.peerAddress,
      "NettyServerTransport{logId=7, channel=[id: 0x1, L:/10.0.0.2:50051 - R:/10.0.0.1:4]}",
      { host: "10.0.0.1", port: 4 },
    ],
    [
      "Java's own end",
      java.listenAddress,
      "NettyServerTransport{logId=7, channel=[id: 0x1, L:/[0:0:0:0:0:0:0:1%lo]:50051 - R:/[::1]:4]}",
      { host: "0:0:0:0:0:0:0:1", port: 50_051 },
    ],
    ["C-core's socket", cCore.peerAddress, "chttp2 ipv4:10.0.0.1:4", { host: "10.0.0.1", port: 4 }],
    [
      "C-core's escaped socket",
      cCore.peerAddress,
      "chttp2 ipv6:%5B::1%5D:4",
      { host: "::1", port: 4 },
    ],
    ["grpc-js's socket, which has no port", grpcJs.peerAddress, "10.0.0.1", undefined],
  ])("of %s tells its address", (_what, read, name, address) => {
    expect(read(name)).toEqual(address);
  });
});

it.each<[string, Dialect, string, string]>([
  ["Java", java, "[[[/127.0.0.1:47998]/{}]]", "127.0.0.1:47998"],
  ["Java with IPv6", java, "[[[/[0:0:0:0:0:0:0:1]:47998]/{}]]", "[0:0:0:0:0:0:0:1]:47998"],
  ["C-core", cCore, "ipv6:%5B::1%5D:5", "[::1]:5"],
  ["Go", go, "127.0.0.1:5", "127.0.0.1:5"],
])("the address of a sub-channel of %s reads as the others'", (_what, dialect, text, address) => {
  expect(dialect.subchannelTarget(text)).toBe(address);
});

it.each<[string, Dialect, string, string | undefined]>([
  ["Go's change of state", go, "Subchannel Connectivity change to READY", undefined],
  [
    "Go's failure",
    go,
    "Subchannel Connectivity change to TRANSIENT_FAILURE, last error: connection refused",
    "connection refused",
  ],
  ["Java's picker", java, "Entering READY state with picker x", undefined],
  [
    "Java's failure",
    java,
    "TRANSIENT_FAILURE (UNAVAILABLE(io exception)). Will reconnect after 1000 ns",
    "TRANSIENT_FAILURE (UNAVAILABLE(io exception)). Will reconnect after 1000 ns",
  ],
  [
    "C-core's failure",
    cCore,
    "Subchannel connectivity state changed to TRANSIENT_FAILURE: UNAVAILABLE: refused\n=== Source",
    "UNAVAILABLE: refused\n=== Source",
  ],
  [
    "grpc-js's change of state",
    grpcJs,
    "Connectivity state change to TRANSIENT_FAILURE",
    undefined,
  ],
])("%s in a trace", (_what, dialect, description, error) => {
  expect(dialect.errorInTrace(description)).toBe(error);
});

it("C-core's keepalive counter is no evidence of keepalive", () => {
  const data = create(SocketDataSchema, { keepAlivesSent: 11n });
  expect([cCore.keepAlivesSent(data), go.keepAlivesSent(data)]).toEqual([0n, 11n]);
});
