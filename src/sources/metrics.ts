import { defineSource } from "./source.ts";

/**
 * Reads the app's own Prometheus endpoint: what the app counts itself, a second witness beside
 * channelz. An endpoint without a family that we know still tells of the process.
 */
export const metrics = defineSource({
  name: "metrics",

  async *observe({ job, signal }, { clock }) {
    // Late: undici is the greatest of our packages, and few targets name an endpoint.
    const { scrape } = await import("../app-metrics/scrape.ts");
    const scraped = await scrape(job.url, { clock, signal });
    const base = { source: "metrics", target: job.target, at: clock.now() } as const;
    const capability = { ...base, kind: "capability" } as const;
    if (scraped.outcome === "unavailable") {
      const fix = "Correct the target's metrics URL, or let the app expose its metrics there.";
      yield { ...capability, available: false, reason: scraped.reason, fix };
      return;
    }
    yield { ...capability, available: true };
    const knowsCalls = scraped.metrics.families.length > 0;
    yield { ...capability, part: "calls", available: knowsCalls, ...(knowsCalls ? {} : NO_CALLS) };
    yield { ...base, kind: "scrape", ...scraped.metrics };
  },
});

const NO_CALLS = {
  reason: "no family of gRPC metrics that is known",
  fix: "Install go-grpc-middleware's or Micrometer's interceptors, or gRPC's OpenTelemetry plugin (gRFC A66).",
};
