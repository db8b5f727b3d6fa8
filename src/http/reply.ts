import type { IncomingMessage, ServerResponse } from "node:http";
import { gzip } from "node:zlib";
import type { Json } from "../model/json.ts";

/** What a route answers. */
export interface Reply {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Below this a compressed body costs more than it saves. */
const SMALLEST_GZIP = 1024;

export function textReply(status: number, text: string): Reply {
  return { status, contentType: "text/plain; charset=utf-8", body: `${text}\n` };
}

export function jsonReply(status: number, value: Json): Reply {
  return jsonTextReply(status, JSON.stringify(value, undefined, 2));
}

/** For a text that is JSON already. */
export function jsonTextReply(status: number, body: string): Reply {
  return { status, contentType: "application/json; charset=utf-8", body: `${body}\n` };
}

/**
 * Sends a reply: compressed where the client takes it, never cached, never sniffed. HEAD gets the
 * headers of GET. A request whose body did not arrive in whole loses its connection: we read none.
 */
export async function send(
  reply: Reply,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const plain = Buffer.from(reply.body);
  const isGzip = plain.length >= SMALLEST_GZIP && acceptsGzip(request.headers["accept-encoding"]);
  const body = isGzip ? await compressed(reply, plain) : plain;
  response.writeHead(reply.status, {
    "content-type": reply.contentType,
    "content-length": body.length,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    vary: "accept, accept-encoding",
    ...(isGzip ? { "content-encoding": "gzip" } : {}),
    ...(request.complete ? {} : { connection: "close" }),
    ...reply.headers,
  });
  response.end(request.method === "HEAD" ? undefined : body);
}

/** `gzip` or `*`, without `q=0`. Source: RFC 9110 section 12.5.3. */
function acceptsGzip(header: string | string[] | undefined): boolean {
  const codings = String(header ?? "")
    .toLowerCase()
    .split(",")
    .map((coding) => coding.split(";").map((part) => part.trim()));
  const named = codings.find(([name]) => name === "gzip") ?? codings.find(([name]) => name === "*");
  return named !== undefined && !named.slice(1).some((part) => /^q=0(\.0*)?$/.test(part));
}

/** A reply that many get is compressed once. */
const packed = new WeakMap<Reply, Promise<Buffer>>();

function compressed(reply: Reply, plain: Buffer): Promise<Buffer> {
  const known = packed.get(reply);
  if (known !== undefined) return known;
  const packing = compress(plain);
  packed.set(reply, packing);
  return packing;
}

/** In the thread pool: a large body does not hold the event loop. */
function compress(body: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    gzip(body, (error, packed) => (error === null ? resolve(packed) : reject(error)));
  });
}
