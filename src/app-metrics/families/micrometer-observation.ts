import { isAdministrative } from "../../model/administrative.ts";
import type { StatusName } from "../../model/status.ts";
import { secondsBound } from "../bound.ts";
import type { Sample } from "../exposition.ts";
import { statusOf } from "../status-word.ts";
import type { MetricFamily } from "./family.ts";

/**
 * Micrometer's `ObservationGrpcServerInterceptor`, as Spring gRPC installs it: a timer for the calls that
 * ended, and a gauge of those in flight.
 *
 * A call that its client gave up before the server closed it has no status, and is exposed as UNKNOWN
 * without an error; an exception that nobody caught is UNKNOWN with its name as `error`. The first is a
 * cancelled call and no fault: every watch ends like that.
 *
 * Source: micrometer-core binder/grpc/DefaultGrpcServerObservationConvention.java; measured on 1.17.2.
 */
export const micrometerObservation: MetricFamily = {
  name: "micrometer-observation",
  prefix: "grpc_server_",

  add({ name, labels, value }, counts) {
    const service = labels.get("rpc_service");
    const method = `${service ?? ""}/${labels.get("rpc_method") ?? ""}`;
    if (service === undefined || isAdministrative(method)) return;
    if (name === "grpc_server_seconds_count") counts.handled(method, codeOf(labels), value);
    else if (name === "grpc_server_seconds_bucket")
      counts.bucket({ code: codeOf(labels) }, { upperMs: secondsBound(labels), count: value });
    else if (name === "grpc_server_sent_total") counts.sent(method, isUnary(labels) ? 0 : value);
    else if (ACTIVE.test(name)) counts.active(value);
  },
};

/** By the older client library, as a summary, and with a histogram. */
const ACTIVE = /^grpc_server_active_seconds_(?:active_count|count|gcount)$/;

function codeOf(labels: Sample["labels"]): StatusName {
  const code = statusOf(labels.get("grpc_status_code") ?? "");
  return code === "UNKNOWN" && (labels.get("error") ?? "none") === "none" ? "CANCELLED" : code;
}

/** A unary answer that is too late is counted as sent. */
function isUnary(labels: Sample["labels"]): boolean {
  return labels.get("rpc_type") === "UNARY";
}
