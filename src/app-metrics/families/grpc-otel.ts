import { isAdministrative } from "../../model/administrative.ts";
import { secondsBound } from "../bound.ts";
import type { CallCounts } from "../call-counts.ts";
import type { Sample } from "../exposition.ts";
import { statusOf } from "../status-word.ts";
import type { MetricFamily } from "./family.ts";

/**
 * gRPC's own OpenTelemetry metrics, as the Prometheus exporters name them: dots become underscores,
 * the unit becomes a suffix (or not, where it is switched off), a counter ends in `_total`. Methods
 * that are not registered are all called `other`; grpc-go counts that their calls start, and never that
 * they end.
 *
 * Source: gRFC A66; OpenTelemetry specification compatibility/prometheus_and_openmetrics.md; measured on
 * grpc-go 1.83.2.
 */
export const grpcOtel: MetricFamily = {
  name: "grpc-otel",
  prefix: "grpc_server_call_",

  add({ name, labels, value }, counts) {
    const method = labels.get("grpc_method") ?? UNREGISTERED;
    if (isAdministrative(method)) return;
    if (!STARTED.test(name)) addEnded({ name, labels, value }, counts);
    else if (method === UNREGISTERED) counts.starts.addAs(method, value);
    else counts.starts.add(value);
  },
};

function addEnded({ name, labels, value }: Sample, counts: CallCounts): void {
  const status = statusOf(labels.get("grpc_status") ?? "");
  const method = labels.get("grpc_method") ?? UNREGISTERED;
  if (COUNT.test(name)) {
    counts.handled(method, status, value);
    if (method === UNREGISTERED && status === "UNIMPLEMENTED") counts.unregistered(value);
  } else if (SENT.test(name) && Number(labels.get("le")) === 0) counts.unanswered(status, value);
  else if (BUCKET.test(name))
    counts.bucket({ code: status }, { upperMs: secondsBound(labels), count: value });
}

/** Generic methods have this name as well; those are implemented. */
const UNREGISTERED = "other";

const SENT = /^grpc_server_call_sent_total_compressed_message_size(?:_bytes)?_bucket$/;
const STARTED = /^grpc_server_call_started(?:_calls?)?(?:_total)?$/;
const COUNT = /^grpc_server_call_duration(?:_seconds)?_count$/;
const BUCKET = /^grpc_server_call_duration(?:_seconds)?_bucket$/;
