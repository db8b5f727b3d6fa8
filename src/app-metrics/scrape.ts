import { requestHttp } from "../net/http-request.ts";
import { type CallMetrics, createCallMetricsReader } from "./call-metrics.ts";

export type Scrape =
  | { readonly outcome: "read"; readonly metrics: CallMetrics }
  /** Nobody answered, or something else than metrics. `reason` is one line of ours. */
  | { readonly outcome: "unavailable"; readonly reason: string };

/** A pod's own metrics are a tenth of this; more is not read, and half a scrape is none. */
const MAX_BYTES = 8 * 1024 * 1024;

const HEADERS = {
  accept: "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5",
  "user-agent": "grpc-doctor",
};

/**
 * Fetches the app's own metrics once, over a connection of its own, and reads them as they come. It
 * follows no redirect: what was configured is asked, and nothing else. Never rejects.
 */
export async function scrape(url: string, signal: AbortSignal): Promise<Scrape> {
  try {
    // Its connection ends with it: one that stayed open would be counted among the app's peers.
    const { statusCode, body } = await requestHttp(url, { signal, headers: HEADERS });
    if (statusCode !== 200) {
      body.destroy();
      return { outcome: "unavailable", reason: `the endpoint answers with HTTP ${statusCode}` };
    }
    return await readBody(body);
  } catch (thrown) {
    return { outcome: "unavailable", reason: whyFailed(thrown, signal) };
  }
}

/** Leaving the loop early destroys the body, and with it the connection. */
async function readBody(body: AsyncIterable<Uint8Array>): Promise<Scrape> {
  const reader = createCallMetricsReader();
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) {
      return { outcome: "unavailable", reason: "the endpoint sends more than 8 MiB" };
    }
    reader.feed(chunk);
  }
  const metrics = reader.end();
  return metrics === undefined
    ? { outcome: "unavailable", reason: "the endpoint sends no Prometheus metrics" }
    : { outcome: "read", metrics };
}

function whyFailed(thrown: unknown, signal: AbortSignal): string {
  if (signal.aborted) return "the endpoint does not answer in time";
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
  return `the endpoint cannot be read (${code})`;
}
