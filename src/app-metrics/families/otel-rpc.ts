import { isAdministrative } from "../../model/administrative.ts";
import { millisecondsBound, secondsBound } from "../bound.ts";
import type { Sample } from "../exposition.ts";
import { statusOf } from "../status-word.ts";
import type { MetricFamily } from "./family.ts";

/**
 * OpenTelemetry's RPC conventions, as otelgrpc and the Java agent expose them today: seconds, the whole
 * method in one label, and the code in words. They count no starts. Methods that nobody registered are
 * all called `_OTHER`. Calls of other systems, as Connect's and Dubbo's, have the same names.
 *
 * Source: OpenTelemetry semantic conventions docs/rpc/rpc-metrics.md; measured on otelgrpc 0.72.0.
 */
export const otelRpc: MetricFamily = {
  name: "otel-rpc",
  prefix: "rpc_server_call_",

  add({ name, labels, value }, counts) {
    const word = labels.get("rpc_response_status_code");
    const method = withoutSlash(labels.get("rpc_method") ?? UNREGISTERED);
    if (word === undefined || isForeign(labels) || isAdministrative(method)) return;
    const code = statusOf(word);
    if (CALL_COUNT.test(name)) {
      counts.handled(method, code, value);
      if (method === UNREGISTERED && code === "UNIMPLEMENTED") counts.unregistered(value);
    } else if (CALL_BUCKET.test(name))
      counts.bucket({ code }, { upperMs: secondsBound(labels), count: value });
  },
};

/**
 * The same before 2026: milliseconds, service and method in two labels, and the code as its number.
 *
 * Source: the same at v1.37.0; measured on otelgrpc 0.61.0.
 */
export const otelRpcOld: MetricFamily = {
  name: "otel-rpc-old",
  prefix: "rpc_server_",

  add({ name, labels, value }, counts) {
    const word = labels.get("rpc_grpc_status_code");
    const method = `${labels.get("rpc_service") ?? ""}/${labels.get("rpc_method") ?? ""}`;
    if (word === undefined || isForeign(labels) || isAdministrative(method)) return;
    const code = statusOf(word);
    if (OLD_COUNT.test(name)) counts.handled(method, code, value);
    else if (OLD_BUCKET.test(name))
      counts.bucket({ code }, { upperMs: millisecondsBound(labels), count: value });
    else if (RESPONSES.test(name) && Number(labels.get("le")) === 0) counts.unanswered(code, value);
  },
};

const UNREGISTERED = "_OTHER";

const CALL_COUNT = /^rpc_server_call_duration(?:_seconds)?_count$/;
const CALL_BUCKET = /^rpc_server_call_duration(?:_seconds)?_bucket$/;
const OLD_COUNT = /^rpc_server_duration(?:_milliseconds)?_count$/;
const OLD_BUCKET = /^rpc_server_duration(?:_milliseconds)?_bucket$/;
const RESPONSES = /^rpc_server_responses_per_rpc_bucket$/;

function isForeign(labels: Sample["labels"]): boolean {
  return (labels.get("rpc_system_name") ?? labels.get("rpc_system") ?? "grpc") !== "grpc";
}

/** Some instrumentations leave the slash of the path. */
function withoutSlash(method: string): string {
  return method.startsWith("/") ? method.slice(1) : method;
}
