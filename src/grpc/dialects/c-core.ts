import { type Dialect, namedAddress, toldWindow } from "./dialect.ts";

/**
 * C-core: C++, Python, Ruby, PHP, Objective-C. Its window fields follow the proto, come and go, and an
 * unset one says nothing. `keep_alives_sent` counts bandwidth-delay pings: no evidence of keepalive.
 *
 * Source: grpc/grpc src/core/channelz; measured on 1.51 and 1.85 with Python.
 */
export const cCore: Dialect = {
  implementation: "c-core",
  tells: {
    server: ({ listenSocket }) => listenSocket.some(({ name }) => name.startsWith("chttp2 ")),
    unimplemented: (text) => text === "Method not found!" || text === "Method not implemented!",
    // It alone asks for frames as large as its window, of about 4 MiB.
    settings: ({ maxFrameSize, initialWindowSize }) =>
      maxFrameSize !== undefined && maxFrameSize > 1_048_576 && maxFrameSize === initialWindowSize,
  },
  listenAddress: uriAddress,
  peerAddress: uriAddress,
  sendWindow: ({ localFlowControlWindow }) => toldWindow(localFlowControlWindow),
  keepAlivesSent: () => 0n,
  subchannelTarget: (text) => {
    const address = uriAddress(text);
    if (address === undefined) return text;
    const { host, port } = address;
    return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  },
  clientSocketsLeak: false,
  errorInTrace: (description) =>
    /(?:TRANSIENT_FAILURE|UNAVAILABLE|UNKNOWN): (.+)/s.exec(description)?.[1],
};

/** `chttp2 ipv4:a:p`, `chttp2 listener ipv6:%5B::%5D:p`: the brackets may be escaped. */
function uriAddress(name: string) {
  const plain = name.replaceAll(/%5b/gi, "[").replaceAll(/%5d/gi, "]");
  const found = /\bipv[46]:(?:\[([\da-fA-F:.]+)(?:%[^\]]*)?\]|([\d.]+)):(\d{1,5})\b/.exec(plain);
  return found === null ? undefined : namedAddress(found[1] ?? found[2], found[3]);
}
