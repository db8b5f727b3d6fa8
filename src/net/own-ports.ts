import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";

const CHANNEL = "net.client.socket";

/** The local ports of this process's own client sockets, as they are now. */
export interface OwnPorts {
  /** Live: holds what is open at the moment of reading. */
  readonly ports: ReadonlySet<number>;
  stop(): void;
}

/**
 * Watches every TCP connection that this process opens, whoever opens it (the OTLP exporter and the
 * scraper as well), so that what we cause is subtracted from what we see. A port leaves the set when
 * its socket closes; one that the kernel keeps in TIME_WAIT belongs to nobody.
 */
export function watchOwnPorts(): OwnPorts {
  const ports = new Set<number>();
  const watch = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    socket.once("connect", () => {
      const { localPort } = socket;
      if (localPort === undefined) return;
      ports.add(localPort);
      socket.once("close", () => ports.delete(localPort));
    });
  };
  subscribe(CHANNEL, watch);
  return { ports, stop: () => void unsubscribe(CHANNEL, watch) };
}
