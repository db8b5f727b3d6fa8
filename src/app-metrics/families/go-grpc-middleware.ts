import { isAdministrative } from "../../model/administrative.ts";
import { secondsBound } from "../bound.ts";
import type { Sample } from "../exposition.ts";
import { statusOf } from "../status-word.ts";
import type { MetricFamily } from "./family.ts";

/**
 * go-grpc-middleware's interceptors, and those of other languages that took over their names
 * (py-grpc-prometheus, java-grpc-prometheus, tonic_prometheus_layer). The histogram of Go has no code
 * label: it tells the durations by method only. Calls of unknown methods and oversize requests never
 * reach an interceptor. The layer for tonic, which has no type label, counts no end of a call that was
 * cancelled: what it says was started would stay in flight for ever.
 *
 * Source: grpc-ecosystem/go-grpc-middleware providers/prometheus/server_metrics.go;
 * blkmlk/tonic-prometheus-layer src/lib.rs.
 */
export const goGrpcMiddleware: MetricFamily = {
  name: "go-grpc-middleware",
  prefix: "grpc_server_",

  add({ name, labels, value }, counts) {
    if (!NAMES.has(name)) return; // messages of clients, and other families with the same beginning
    const method = methodOf(labels);
    if (isAdministrative(method)) return;
    const code = codeOf(labels);
    switch (name) {
      case "grpc_server_started_total":
        if (labels.has("grpc_type")) counts.starts.add(value);
        break;
      case "grpc_server_handled_total":
        if (code !== undefined) counts.handled(method, statusOf(code), value);
        break;
      case "grpc_server_handling_seconds_bucket":
      case "grpc_server_handled_latency_seconds_bucket":
        counts.bucket(counted(method, labels), { upperMs: secondsBound(labels), count: value });
        break;
      default:
        counts.sent(method, value);
    }
  },
};

const NAMES: ReadonlySet<string> = new Set([
  "grpc_server_started_total",
  "grpc_server_handled_total",
  "grpc_server_handling_seconds_bucket",
  "grpc_server_handled_latency_seconds_bucket",
  "grpc_server_msg_sent_total",
]);

function methodOf(labels: Sample["labels"]): string {
  return `${labels.get("grpc_service") ?? ""}/${labels.get("grpc_method") ?? ""}`;
}

function codeOf(labels: Sample["labels"]): string | undefined {
  return labels.get("grpc_code") ?? labels.get("code");
}

/** Whose durations a bucket holds. */
function counted(method: string, labels: Sample["labels"]) {
  const code = codeOf(labels);
  return code === undefined ? { method } : { code: statusOf(code) };
}
