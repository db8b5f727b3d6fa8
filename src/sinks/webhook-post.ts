import { Agent, request } from "undici";

/** One connection to the receiver, opened when there is something to tell. */
export interface Poster {
  /** Posts JSON and resolves with the HTTP status; rejects when there is none in the signal's time. */
  post(url: string, body: string, signal: AbortSignal): Promise<number>;
  close(): Promise<void>;
}

/** The receiver's answer is not read further than this. */
const MOST_ANSWER_BYTES = 16 * 1024;

/** Loaded late, through `import("./webhook-post.ts")`: few pods have a webhook. */
export function createPoster(): Poster {
  const dispatcher = new Agent({ connections: 1, pipelining: 1 });
  return {
    async post(url, body, signal) {
      const headers = { "content-type": "application/json", "user-agent": "grpc-doctor" };
      const answer = await request(url, { method: "POST", headers, body, signal, dispatcher });
      await answer.body.dump({ limit: MOST_ANSWER_BYTES, signal });
      return answer.statusCode;
    },
    close: () => dispatcher.destroy(),
  };
}
