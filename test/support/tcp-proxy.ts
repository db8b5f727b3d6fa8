import { once } from "node:events";
import net from "node:net";

export interface TcpProxyOptions {
  /** The port behind it. */
  readonly to: number;
  /** What a client meets while nothing listens there: it waits (`mute`), or is closed at once. */
  readonly without: "mute" | "close";
  /** Closes on whoever does not send a PROXY protocol header (version 1) first. */
  readonly wantsHeader?: boolean;
  /** Resets each connection that is so old, while it is set. */
  readonly cuts?: { afterMs: number | undefined };
}

export interface TcpProxy {
  readonly address: string;
  readonly port: number;
  stop(): Promise<void>;
}

/** A REAL proxy of TCP, as HAProxy's `mode tcp` (mute), Envoy's `tcp_proxy` (close) and a balancer are. */
export async function startTcpProxy(options: TcpProxyOptions): Promise<TcpProxy> {
  const sockets = new Set<net.Socket>();
  const keep = (socket: net.Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };
  const server = net.createServer((client) => {
    keep(client);
    const cut = () => options.cuts?.afterMs !== undefined && client.resetAndDestroy();
    if (options.cuts?.afterMs !== undefined) setTimeout(cut, options.cuts.afterMs);
    const begin = (first: Uint8Array) => {
      const behind = keep(net.connect(options.to, "127.0.0.1"));
      behind.on("error", () => options.without === "close" && client.destroy());
      behind.once("connect", () => {
        behind.write(first);
        client.pipe(behind).pipe(client);
      });
      client.once("close", () => behind.destroy());
    };
    if (options.wantsHeader !== true) return begin(new Uint8Array());
    client.once("data", (chunk: Buffer) => {
      const end = chunk.indexOf("\r\n");
      if (chunk.toString("latin1").startsWith("PROXY ")) begin(chunk.subarray(end + 2));
      else client.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as net.AddressInfo;
  return {
    address: `127.0.0.1:${port}`,
    port,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
