import { isAdministrative } from "../../model/administrative.ts";
import { STATUS_NAMES, type StatusName } from "../../model/status.ts";
import type { MetricFamily } from "./family.ts";

/**
 * gRPC's own OpenTelemetry metrics, as the Prometheus exporters name them: dots become underscores,
 * the unit becomes a suffix (or not, where it is switched off), a counter ends in `_total`. Methods
 * that are not registered are all called `other`.
 *
 * Source: gRFC A66; OpenTelemetry specification compatibility/prometheus_and_openmetrics.md.
 */
export const grpcOtel: MetricFamily = {
  name: "grpc-otel",
  prefix: "grpc_server_call_",

  add({ name, labels, value }, counts) {
    const status = statusOf(labels.get("grpc_status"));
    const method = labels.get("grpc_method") ?? UNREGISTERED;
    if (isAdministrative(method)) return;
    if (STARTED.test(name)) counts.started(value);
    else if (COUNT.test(name)) {
      counts.handled(method, status, value);
      if (method === UNREGISTERED && status === "UNIMPLEMENTED") counts.unregistered(value);
    } else if (SENT.test(name) && Number(labels.get("le")) === 0) counts.unanswered(status, value);
    else if (BUCKET.test(name))
      counts.bucket({ code: status }, { le: labels.get("le"), count: value });
  },
};

/** Generic methods have this name as well; those are implemented. */
const UNREGISTERED = "other";

const SENT = /^grpc_server_call_sent_total_compressed_message_size(?:_bytes)?_bucket$/;
const STARTED = /^grpc_server_call_started(?:_calls?)?(?:_total)?$/;
const COUNT = /^grpc_server_call_duration(?:_seconds)?_count$/;
const BUCKET = /^grpc_server_call_duration(?:_seconds)?_bucket$/;

/** Spelt as in doc/statuscodes.md; a code outside the enumeration is UNKNOWN to the callers too. */
function statusOf(text: string | undefined): StatusName {
  return STATUS_NAMES.find((status) => status === text) ?? "UNKNOWN";
}
