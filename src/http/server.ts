import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { ipv6LoopbackFor } from "../model/loopback.ts";
import type { ListenAddress } from "../model/settings.ts";
import type { Clock } from "../model/time.ts";
import { boundConnections } from "./connections.ts";
import { createRate } from "./rate.ts";
import { type Reply, send, textReply } from "./reply.ts";

/** A server that listens. */
export interface Listening {
  /** Where it can be reached: the port is the real one when 0 was asked for. */
  readonly address: ListenAddress;
  /** Ends all connections; resolves when the port is free. */
  close(): Promise<void>;
}

export interface ServerOptions {
  readonly address: ListenAddress;
  readonly clock: Clock;
  /** Rejects only for a bug of ours: answered with 500, and told. */
  readonly answer: (request: IncomingMessage) => Promise<Reply>;
  readonly failed: (thrown: unknown) => void;
}

/** Headers, the whole request, and any pause: a client that dawdles is cut off. */
const HEADERS_MS = 5_000;
const REQUEST_MS = 10_000;
const PAUSE_MS = 10_000;
/** How often Node looks for requests past their time; its default is every 30 s. */
const CHECK_MS = 1_000;
const MOST_HEADER_BYTES = 8 * 1024;
const MOST_HEADERS = 50;
/** Of one address: far more than scrapers, kubelets and people ask together from behind one. */
const REQUEST_RATE = { burst: 400, perSecond: 200 };

/**
 * Starts one HTTP server with the bounds of both listeners. Rejects when the address cannot be had.
 *
 * Without a host it listens on all addresses of both families; Node binds `::`, or 0.0.0.0 where
 * IPv6 is off. Where loopback has no IPv4 address, 127.0.0.1 means ::1.
 */
export async function startServer(options: ServerOptions): Promise<Listening> {
  const limits = {
    headersTimeout: HEADERS_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: MOST_HEADER_BYTES,
  };
  const mayAsk = createRate(REQUEST_RATE, options.clock);
  const answer = async (request: IncomingMessage): Promise<Reply> =>
    mayAsk(request.socket.remoteAddress ?? "")
      ? (malformed(request) ?? options.answer(request))
      : tooMany();
  const server = createServer(
    limits,
    (request, response) => void serve({ ...options, answer }, request, response),
  );
  boundConnections(server, options.clock);
  server.maxHeadersCount = 0; // Node would cut what is more, and say nothing; `malformed` refuses it
  server.timeout = PAUSE_MS;
  const { host } = options.address;
  const { address, port } = await listening(server, options.address).catch((thrown: unknown) => {
    const other = ipv6LoopbackFor(host, thrown);
    if (other === undefined) throw thrown;
    return listening(server, { ...options.address, host: other });
  });

  return {
    address: host === undefined ? { port } : { host: address, port },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What Node takes and no client of ours sends: a second Host may have deceived whoever saw the first. */
function malformed({ rawHeaders }: IncomingMessage): Reply | undefined {
  if (rawHeaders.length / 2 > MOST_HEADERS) return closing(textReply(431, "too many headers"));
  const names = rawHeaders.filter((_, index) => index % 2 === 0);
  const hosts = names.filter((name) => name.toLowerCase() === "host");
  return hosts.length > 1 ? closing(textReply(400, "more than one Host")) : undefined;
}

function tooMany(): Reply {
  const reply = closing(textReply(429, "too many requests from this address"));
  return { ...reply, headers: { ...reply.headers, "retry-after": "1" } };
}

/** Who sends such a request may connect anew. */
function closing(reply: Reply): Reply {
  return { ...reply, headers: { connection: "close" } };
}

async function serve(
  { answer, failed }: Pick<ServerOptions, "answer" | "failed">,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.on("error", () => undefined); // the client went away: its connection is closed
  try {
    await send(await answer(request), request, response);
  } catch (thrown) {
    failed(thrown);
    if (response.headersSent) response.destroy();
    else await send(textReply(500, "a bug of ours; the log says which"), request, response);
  }
}

function listening(server: Server, { host, port }: ListenAddress): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(host === undefined ? { port } : { host, port }, () => {
      server.off("error", reject);
      const address = server.address();
      if (typeof address === "object" && address !== null) resolve(address);
    });
  });
}
