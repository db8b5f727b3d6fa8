import type { Clock } from "../model/time.ts";
import { type HttpAnswer, readWithin, requestHttp } from "../net/http-request.ts";
import { type CallMetrics, createCallMetricsReader } from "./call-metrics.ts";

export type Scrape =
  | { readonly outcome: "read"; readonly metrics: CallMetrics }
  /** Nobody answered, or something else than metrics. `reason` is one line of ours. */
  | { readonly outcome: "unavailable"; readonly reason: string };

export interface ScrapeOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** A pod's own metrics are a tenth of this; more is not read, and half a scrape is none. */
const MAX_BYTES = 8 * 1024 * 1024;

/**
 * What is read in one go, in about a millisecond, and how long others may then go first. All scrapes of
 * an agent may have a turn in one round of the event loop, so that a turn is short.
 */
const TURN_BYTES = 4 * 1024;
const PAUSE_MS = 1;

const HEADERS = {
  accept: "text/plain;version=0.0.4,application/openmetrics-text;version=1.0.0;q=0.5",
  "user-agent": "grpc-doctor",
};

/**
 * Fetches the app's own metrics once, over a connection of its own. It follows no redirect: what was
 * configured is asked, and nothing else. Never rejects.
 */
export async function scrape(url: string, { clock, signal }: ScrapeOptions): Promise<Scrape> {
  try {
    // Its connection ends with it: one that stayed open would be counted among the app's peers.
    const { statusCode, body } = await requestHttp(url, { signal, headers: HEADERS });
    if (statusCode !== 200) {
      body.destroy();
      return { outcome: "unavailable", reason: `the endpoint answers with HTTP ${statusCode}` };
    }
    return await readBody(body, { clock, signal });
  } catch (thrown) {
    return { outcome: "unavailable", reason: whyFailed(thrown, signal) };
  }
}

/**
 * In one piece, since a line in crumbs would be looked through again with each of them; and in turns:
 * without JIT a mebibyte costs a tenth of a second.
 */
async function readBody(
  body: HttpAnswer["body"],
  { clock, signal }: ScrapeOptions,
): Promise<Scrape> {
  const bytes = await readWithin(body, MAX_BYTES);
  if (bytes === undefined) {
    return { outcome: "unavailable", reason: "the endpoint sends more than 8 MiB" };
  }
  const reader = createCallMetricsReader();
  for (let at = 0; at < bytes.length; at += TURN_BYTES) {
    reader.feed(bytes.subarray(at, at + TURN_BYTES));
    await clock.sleep(PAUSE_MS, signal);
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
