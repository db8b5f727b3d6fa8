import { type Dialect, plainAddress, toldWindow } from "./dialect.ts";

/** An implementation that was not told: its numbers are read as the proto means them. */
export const unknown: Dialect = {
  implementation: "unknown",
  tells: { server: () => false, unimplemented: () => false, settings: () => false },
  listenAddress: plainAddress,
  peerAddress: () => undefined,
  sendWindow: ({ localFlowControlWindow }) => toldWindow(localFlowControlWindow),
  keepAlivesSent: ({ keepAlivesSent }) => keepAlivesSent,
  subchannelTarget: (text) => text,
  clientSocketsLeak: false,
  errorInTrace: () => undefined,
};
