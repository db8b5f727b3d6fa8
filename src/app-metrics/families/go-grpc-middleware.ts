import { isAdministrative } from "../../model/administrative.ts";
import { STATUS_NAMES, type StatusName } from "../../model/status.ts";
import type { Sample } from "../exposition.ts";
import type { MetricFamily } from "./family.ts";

/**
 * go-grpc-middleware's interceptors, and those of other languages that took over their names
 * (py-grpc-prometheus, java-grpc-prometheus). The histogram of Go has no code label: it tells the
 * durations by method only. Calls of unknown methods and oversize requests never reach an interceptor.
 *
 * Source: grpc-ecosystem/go-grpc-middleware providers/prometheus/server_metrics.go.
 */
export const goGrpcMiddleware: MetricFamily = {
  name: "go-grpc-middleware",
  prefix: "grpc_server_",

  add({ name, labels, value }, counts) {
    const method = methodOf(labels);
    if (isAdministrative(method)) return;
    const code = labels.get("grpc_code") ?? labels.get("code");
    switch (name) {
      case "grpc_server_started_total":
        counts.started(value);
        break;
      case "grpc_server_handled_total":
        counts.handled(method, statusOf(code ?? ""), value);
        break;
      case "grpc_server_handling_seconds_bucket":
      case "grpc_server_handled_latency_seconds_bucket":
        counts.bucket(code === undefined ? { method } : { code: statusOf(code) }, {
          le: labels.get("le"),
          count: value,
        });
        break;
      case "grpc_server_msg_sent_total":
        counts.sent(method, value);
        break;
      default: // messages of clients, and other families with the same beginning
    }
  },
};

function methodOf(labels: Sample["labels"]): string {
  return `${labels.get("grpc_service") ?? ""}/${labels.get("grpc_method") ?? ""}`;
}

/** `DeadlineExceeded` in Go (codes.Code.String), `DEADLINE_EXCEEDED` elsewhere; `Code(99)` for none. */
const SPELLINGS: ReadonlyMap<string, StatusName> = new Map(
  STATUS_NAMES.map((status) => [status.replaceAll("_", "").toLowerCase(), status]),
);

function statusOf(code: string): StatusName {
  const word = code.replaceAll("_", "").toLowerCase();
  return word === "canceled" ? "CANCELLED" : (SPELLINGS.get(word) ?? "UNKNOWN");
}
