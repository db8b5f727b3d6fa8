import { STATUS_NAMES, type StatusName } from "../../model/status.ts";
import type { MetricFamily } from "./family.ts";

/**
 * go-grpc-middleware's interceptors, and those of other languages that took over their names
 * (py-grpc-prometheus, java-grpc-prometheus). The histogram of Go has no code label: it tells nothing
 * of the durations by code. Calls of unknown methods and oversize requests never reach an interceptor.
 *
 * Source: grpc-ecosystem/go-grpc-middleware providers/prometheus/server_metrics.go.
 */
export const goGrpcMiddleware: MetricFamily = {
  name: "go-grpc-middleware",
  prefix: "grpc_server_",

  add({ name, labels, value }, counts) {
    const code = labels.get("grpc_code") ?? labels.get("code");
    switch (name) {
      case "grpc_server_started_total":
        counts.started(value);
        break;
      case "grpc_server_handled_total": {
        const method = `${labels.get("grpc_service") ?? ""}/${labels.get("grpc_method") ?? ""}`;
        counts.handled(method, statusOf(code ?? ""), value);
        break;
      }
      case "grpc_server_handling_seconds_bucket":
      case "grpc_server_handled_latency_seconds_bucket":
        if (code !== undefined) counts.bucket(statusOf(code), labels.get("le"), value);
        break;
      default: // message counters, and other families with the same beginning
    }
  },
};

/** `DeadlineExceeded` in Go (codes.Code.String), `DEADLINE_EXCEEDED` elsewhere; `Code(99)` for none. */
const SPELLINGS: ReadonlyMap<string, StatusName> = new Map(
  STATUS_NAMES.map((status) => [status.replaceAll("_", "").toLowerCase(), status]),
);

function statusOf(code: string): StatusName {
  const word = code.replaceAll("_", "").toLowerCase();
  return word === "canceled" ? "CANCELLED" : (SPELLINGS.get(word) ?? "UNKNOWN");
}
