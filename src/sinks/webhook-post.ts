import { readWithin, requestHttp } from "../net/http-request.ts";

const HEADERS = { "content-type": "application/json", "user-agent": "grpc-doctor" };
/** The receiver's answer is not read further than this. */
const MOST_ANSWER_BYTES = 16 * 1024;

/**
 * Posts JSON and resolves with the HTTP status; rejects when there is none in the signal's time.
 * Loaded late, through `import("./webhook-post.ts")`: few pods have a webhook.
 */
export async function postJson(url: string, body: string, signal: AbortSignal): Promise<number> {
  const answer = await requestHttp(url, { method: "POST", headers: HEADERS, body, signal });
  // To the end where that is near, so that the receiver is not hung up on.
  await readWithin(answer.body, MOST_ANSWER_BYTES);
  return answer.statusCode;
}
