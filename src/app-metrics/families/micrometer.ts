import { isAdministrative } from "../../model/administrative.ts";
import type { StatusName } from "../../model/status.ts";
import { secondsBound } from "../bound.ts";
import type { Sample } from "../exposition.ts";
import { statusOf } from "../status-word.ts";
import type { MetricFamily } from "./family.ts";

/**
 * Micrometer's `MetricCollectingServerInterceptor`, as Quarkus and Micronaut install it, and the one of
 * net.devh's grpc-spring, from which it comes. It counts messages and no starts: a call begins with its
 * one request where the client does not stream. A unary response that is too late is counted as sent and
 * its call as CANCELLED, so only streams are said to have been answered.
 *
 * Source: micrometer-core binder/grpc/MetricCollectingServerInterceptor.java; measured on 1.17.2. The
 * labels are in snake case where net.devh writes `method.type`.
 */
export const micrometer: MetricFamily = {
  name: "micrometer",
  prefix: "grpc_server_",

  add({ name, labels, value }, counts) {
    if (!NAMES.has(name)) return; // the longest of late, and other families with the same beginning
    const method = methodOf(labels);
    if (isAdministrative(method)) return;
    switch (name) {
      case "grpc_server_requests_received_messages_total":
        if (streams(labels, "CLIENT_STREAMING", "BIDI_STREAMING")) counts.starts.areUntold();
        else counts.starts.add(value);
        break;
      case "grpc_server_processing_duration_seconds_count":
        counts.handled(method, codeOf(labels), value);
        break;
      case "grpc_server_processing_duration_seconds_bucket":
        counts.bucket({ code: codeOf(labels) }, { upperMs: secondsBound(labels), count: value });
        break;
      default:
        counts.sent(method, streams(labels, "SERVER_STREAMING", "BIDI_STREAMING") ? value : 0);
    }
  },
};

const NAMES: ReadonlySet<string> = new Set([
  "grpc_server_requests_received_messages_total",
  "grpc_server_processing_duration_seconds_count",
  "grpc_server_processing_duration_seconds_bucket",
  "grpc_server_responses_sent_messages_total",
]);

function methodOf(labels: Sample["labels"]): string {
  return `${labels.get("service") ?? ""}/${labels.get("method") ?? ""}`;
}

function codeOf(labels: Sample["labels"]): StatusName {
  return statusOf(labels.get("statusCode") ?? labels.get("status_code") ?? "");
}

function streams(labels: Sample["labels"], ...types: readonly string[]): boolean {
  return types.includes(labels.get("methodType") ?? labels.get("method_type") ?? "");
}
