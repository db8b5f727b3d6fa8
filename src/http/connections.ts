import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Clock } from "../model/time.ts";

/** A scraper, a kubelet and a few people. */
const MOST_CONNECTIONS = 64;
/** A reply that its asker has not taken by then costs it the connection. */
const REPLY_MS = 30_000;

interface Held {
  readonly address: string;
  /** Requests that were read and whose replies are not yet taken. */
  answering: number;
}

/**
 * Bounds how many connections a server holds, and for how long a reply may wait for its reader.
 *
 * A new connection always finds room: beyond the bound, the one goes that has waited longest, of the
 * address that holds most. Who opens many therefore loses its own, and cannot keep a scraper out.
 */
export function boundConnections(server: Server, clock: Clock): void {
  // A Map keeps the order of its entries: the oldest come first.
  const held = new Map<Socket, Held>();

  server.on("connection", (socket: Socket) => {
    held.set(socket, { address: socket.remoteAddress ?? "", answering: 0 });
    socket.once("close", () => held.delete(socket));
    if (held.size <= MOST_CONNECTIONS) return;
    const given = oneToGiveUp(held);
    // Its `close` comes later; until then it must not be chosen again.
    held.delete(given);
    given.destroy();
  });

  server.on("request", ({ socket }: IncomingMessage, response: ServerResponse) => {
    const connection = held.get(socket);
    const taken = new AbortController();
    if (connection !== undefined) connection.answering += 1;
    response.once("close", () => {
      if (connection !== undefined) connection.answering -= 1;
      taken.abort();
    });
    clock.sleep(REPLY_MS, taken.signal).then(
      () => socket.destroy(),
      () => undefined,
    );
  });
}

/** Of the address with most connections: the oldest that waits, or the oldest where none does. */
function oneToGiveUp(held: ReadonlyMap<Socket, Held>): Socket {
  const counts = new Map<string, number>();
  for (const { address } of held.values()) counts.set(address, (counts.get(address) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const ofFullest = [...held].filter(([, { address }]) => counts.get(address) === most);
  const [chosen] = ofFullest.find(([, { answering }]) => answering === 0) ?? ofFullest[0] ?? [];
  if (chosen === undefined) throw new Error("a full table of connections has an oldest one");
  return chosen;
}
