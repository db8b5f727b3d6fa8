import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { ChannelCredentials } from "@grpc/grpc-js";
import { WatchedSocket, type WatchedSocketOptions } from "./watched-socket.ts";

export type Connector = ReturnType<ChannelCredentials["_createSecureConnector"]>;

/**
 * Credentials of grpc-js by which every connection is a `WatchedSocket`: they hand over what HTTP/2 is
 * spoken on, once TLS is done, and nothing else of grpc-js lets us come between.
 */
export class WatchedCredentials extends ChannelCredentials {
  readonly #inner: ChannelCredentials;
  readonly #options: WatchedSocketOptions;

  constructor(inner: ChannelCredentials, options: WatchedSocketOptions) {
    super();
    this.#inner = inner;
    this.#options = options;
  }

  override _isSecure(): boolean {
    return this.#inner._isSecure();
  }

  override _equals(other: ChannelCredentials): boolean {
    return this === other;
  }

  override _createSecureConnector(
    ...[channelTarget, options, callCredentials]: Parameters<
      ChannelCredentials["_createSecureConnector"]
    >
  ): Connector {
    const inner = this.#inner._createSecureConnector(channelTarget, options, callCredentials);
    return {
      waitForReady: () => inner.waitForReady(),
      connect: async (socket) => {
        const connected = await inner.connect(socket);
        return { ...connected, socket: this.#watched(connected.socket) };
      },
      getCallCredentials: () => inner.getCallCredentials(),
      destroy: () => inner.destroy(),
    };
  }

  /** HTTP/2 takes any duplex stream, whatever its type says. */
  #watched(socket: Socket): Socket {
    return new WatchedSocket(socket, this.#options) as Duplex as Socket;
  }
}
