import type { Dispatcher } from "undici";
// The parts that one request needs: undici's index loads fetch, WebSocket, caches and mocks besides.
import request from "undici/lib/api/api-request.js";
import Client from "undici/lib/dispatcher/client.js";

export interface HttpRequest {
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as it is. */
  readonly body?: string;
  /** Ends the request and the reading of its answer. */
  readonly signal: AbortSignal;
}

/**
 * The head of an answer, and its body, which the caller reads (`readWithin`) or destroys, but never in one
 * of its events: undici is in the midst of a chunk then, and asserts that nobody left.
 */
export type HttpAnswer = Pick<Dispatcher.ResponseData, "statusCode" | "headers" | "body">;

/**
 * One HTTP/1.1 request over a connection of its own, which ends with the answer. Resolves with the
 * head; the body is left to the caller. Follows no redirect and asks no proxy: what was named is asked,
 * and nothing else. Rejects when no answer comes, with the signal's reason if that ended it.
 */
export async function requestHttp(
  url: string,
  { method = "GET", headers = {}, body, signal }: HttpRequest,
): Promise<HttpAnswer> {
  const { origin, pathname, search } = new URL(url);
  const client = new Client(origin);
  const path = `${pathname}${search}`;
  try {
    const asked = { method, path, headers: { ...headers }, body: body ?? null, signal };
    const answer = await request.call(client, { ...asked, reset: true });
    // A body that is hung up on tells of it by an error, which nobody else may listen for.
    answer.body.on("error", () => undefined);
    return answer;
  } finally {
    // Ends once the body has; nobody waits for that.
    client.close().catch(() => undefined);
  }
}

/**
 * All of a body; `undefined` where it has more than `mostBytes`, and it and its connection are then gone.
 * Rejects when it breaks off. It is taken as it comes: undici ends the process (`assert(!this.paused)`)
 * where a server closes while its reader has asked for a pause.
 */
export async function readWithin(
  body: HttpAnswer["body"],
  mostBytes: number,
): Promise<Uint8Array | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const isWhole = await new Promise<boolean>((resolve, reject) => {
    body.on("data", (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes > mostBytes) resolve(false);
      else chunks.push(chunk);
    });
    body.once("end", () => resolve(true));
    body.once("error", reject);
  });
  if (isWhole) return Buffer.concat(chunks);
  body.destroy();
  return undefined;
}
