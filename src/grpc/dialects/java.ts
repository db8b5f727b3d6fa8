import { type Dialect, namedAddress, toldWindow } from "./dialect.ts";

/**
 * grpc-java. Its window fields follow the proto. Traces are empty unless `maxTraceEvents` is set, and
 * a sub-channel's target is a printed list of address groups: `[[[/127.0.0.1:47998]/{}]]`.
 *
 * Source: grpc-java NettyServer, ChannelTracer and ManagedChannelImpl; measured on 1.85.1.
 */
export const java: Dialect = {
  implementation: "java",
  tells: {
    server: ({ listenSocket }) => listenSocket.some(({ name }) => /\bL:[^\s]*\//.test(name)),
    unimplemented: (text) => text.startsWith("Method not found: "),
    // Netty's window, and a header list of 8 KiB, which tonic (the same window) does not send.
    settings: ({ initialWindowSize, maxHeaderListSize }) =>
      initialWindowSize === 1_048_576 && maxHeaderListSize === 8192,
  },
  listenAddress: (name) => addressAfter("L", name),
  peerAddress: (name) => addressAfter("R", name),
  sendWindow: ({ localFlowControlWindow }) => toldWindow(localFlowControlWindow),
  keepAlivesSent: ({ keepAlivesSent }) => keepAlivesSent,
  subchannelTarget: (text) => /\/((?:\[[^\]]+\]|[^/{}\s[\]]+):\d{1,5})\]/.exec(text)?.[1] ?? text,
  clientSocketsLeak: false,
  errorInTrace: (description) =>
    /(?:TRANSIENT_FAILURE|SHUTDOWN with|Failed to resolve name:).*/s.exec(description)?.[0],
};

/** Netty's `L:/a:p - R:/b:q`; a host name may stand before the slash, IPv6 in brackets. */
function addressAfter(side: "L" | "R", name: string) {
  const found = new RegExp(
    String.raw`\b${side}:[^\s/]*/(?:\[([^\]%]+)(?:%[^\]]*)?\]|([\da-fA-F.:]+)):(\d{1,5})(?=[\s\]}]|$)`,
  ).exec(name);
  return found === null ? undefined : namedAddress(found[1] ?? found[2], found[3]);
}
