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

/** The head of an answer, and its body, which the caller reads or destroys. */
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
