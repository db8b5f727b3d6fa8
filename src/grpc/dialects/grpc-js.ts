import { type Dialect, plainAddress, toldWindow } from "./dialect.ts";

/**
 * grpc-js. Its window fields are swapped against the proto, as Go's are; a window of 0 is rendered as
 * unset. Both unset is a connection that is going away, and says nothing. Client sockets count a
 * cancelled stream neither way; traces name states without any error.
 *
 * Source: grpc-js src/server.ts, src/channelz.ts, src/subchannel-call.ts; measured on 1.14.7.
 */
export const grpcJs: Dialect = {
  implementation: "grpc-js",
  tells: {
    // Like Go it names the bare address, but its servers have a trace.
    server: ({ data, listenSocket }) =>
      data?.trace !== undefined &&
      !listenSocket.some(({ name }) => name.startsWith("chttp2 ")) &&
      listenSocket.some(({ name }) => plainAddress(name) !== undefined || name.startsWith("/")),
    unimplemented: (text) => text.startsWith("The server does not implement the method "),
    settings: () => false,
  },
  listenAddress: plainAddress,
  // The remote address without its port.
  peerAddress: () => undefined,
  sendWindow: ({ localFlowControlWindow, remoteFlowControlWindow }) =>
    remoteFlowControlWindow === undefined && localFlowControlWindow !== undefined
      ? { canSendBytes: 0 }
      : toldWindow(remoteFlowControlWindow),
  keepAlivesSent: ({ keepAlivesSent }) => keepAlivesSent,
  subchannelTarget: (text) => text,
  clientSocketsLeak: true,
  errorInTrace: (description) => /Address resolution failed with code .*/s.exec(description)?.[0],
};
