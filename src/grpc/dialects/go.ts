import { type Dialect, plainAddress, toldWindow } from "./dialect.ts";

const WRITER_BLOCKED = -2n;

/**
 * grpc-go. Its window fields are swapped against the proto: `remote_*` is what the server may send,
 * and `local_*` is 0 on healthy client sockets, so it says nothing. −2 means that the writer did not
 * answer within a second, blocked in a TCP write; −1 that the transport is closing.
 *
 * Source: grpc-go internal/transport/http2_server.go (getOutFlowWindow), measured on 1.85.0.
 */
export const go: Dialect = {
  implementation: "go",
  tells: {
    // Its servers have no trace, and its listen sockets the bare address that they are bound to.
    server: ({ data, listenSocket }) =>
      data?.trace === undefined &&
      listenSocket.length > 0 &&
      listenSocket.every(({ name }) => plainAddress(name) !== undefined || /^[/@]/.test(name)),
    unimplemented: (text) => /^unknown (?:service|method) /.test(text),
    settings: () => false,
  },
  listenAddress: plainAddress,
  // Empty since 1.34; before, "remote -> local".
  peerAddress: (name) => plainAddress(name.split(" -> ", 1)[0] ?? ""),
  sendWindow: ({ remoteFlowControlWindow }) =>
    remoteFlowControlWindow === WRITER_BLOCKED
      ? { writerBlocked: true }
      : toldWindow(remoteFlowControlWindow),
  keepAlivesSent: ({ keepAlivesSent }) => keepAlivesSent,
  subchannelTarget: (text) => text,
  clientSocketsLeak: false,
  errorInTrace: (description) =>
    /(?:last error: |Err: |reporting error to cc: )(.+)/s.exec(description)?.[1],
};
