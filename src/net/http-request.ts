import http, { type IncomingMessage, type RequestOptions } from "node:http";
import https from "node:https";

/** What is asked; `body` is sent as it is. */
export interface HttpRequest extends Pick<RequestOptions, "method" | "headers"> {
  readonly body?: string;
  /** Ends the request and the reading of its answer. */
  readonly signal: AbortSignal;
}

/**
 * One HTTP/1.1 request over a connection of its own, which ends with the answer. Resolves with the
 * head; the body is left to the caller, who reads it or destroys it. Follows no redirect and asks no
 * proxy: what was named is asked, and nothing else. Rejects when no answer comes.
 */
export function requestHttp(url: string, request: HttpRequest): Promise<IncomingMessage> {
  const { body, ...options } = request;
  const { request: open } = url.startsWith("https:") ? https : http;
  return new Promise((resolve, reject) => {
    const asked = open(url, { ...options, agent: false });
    asked.on("response", (answer) => {
      // A body that is hung up on tells of it by an error, which nobody else may listen for.
      answer.on("error", () => undefined);
      resolve(answer);
    });
    asked.on("error", reject);
    // An answer that is none (101 Switching Protocols) ends in nothing but this.
    asked.on("close", () => reject(new Error("the server hung up")));
    asked.end(body);
  });
}
