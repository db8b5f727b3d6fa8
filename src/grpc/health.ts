import { isKeepable } from "../model/server-name.ts";
import type { ServingStatus } from "../model/status.ts";
import { Health, HealthCheckResponse_ServingStatus } from "./gen/grpc/health/v1/health_pb.js";
import type { CallOptions, Connection } from "./transport.ts";
import { callServerStream, callUnary } from "./typed-call.ts";

type Limits = Pick<CallOptions, "signal" | "timeoutMs">;

/** Names that List may yield: grpc-go and grpc-js refuse to list more. */
const MAX_NAMES = 100;

/**
 * The client of `grpc.health.v1`. Each function throws the `CallError` of its call: what NOT_FOUND
 * or UNIMPLEMENTED means is for the caller to say.
 *
 * Source: grpc/grpc doc/health-checking.md, gRFC A90 (List).
 */
export async function checkHealth(
  connection: Connection,
  service: string,
  limits: Limits,
): Promise<ServingStatus> {
  const { status } = await callUnary(connection, Health.method.check, {
    ...limits,
    request: { service },
  });
  return servingStatus(status);
}

/** The status now, and each change of it, until the server ends the stream or the signal does. */
export async function* watchHealth(
  connection: Connection,
  service: string,
  limits: Pick<CallOptions, "signal">,
): AsyncIterable<ServingStatus> {
  const request = { service };
  for await (const { status } of callServerStream(connection, Health.method.watch, {
    ...limits,
    request,
  })) {
    yield servingStatus(status);
  }
}

/** The names that the server has a status for, sorted; at most 100, and none that is no name. */
export async function listHealth(
  connection: Connection,
  limits: Limits,
): Promise<readonly string[]> {
  const { statuses } = await callUnary(connection, Health.method.list, { ...limits, request: {} });
  return Object.keys(statuses).filter(isKeepable).toSorted().slice(0, MAX_NAMES);
}

/** A number that the enumeration does not know says as much as UNKNOWN. */
function servingStatus(status: HealthCheckResponse_ServingStatus): ServingStatus {
  switch (status) {
    case HealthCheckResponse_ServingStatus.SERVING:
      return "SERVING";
    case HealthCheckResponse_ServingStatus.NOT_SERVING:
      return "NOT_SERVING";
    case HealthCheckResponse_ServingStatus.SERVICE_UNKNOWN:
      return "SERVICE_UNKNOWN";
    default:
      return "UNKNOWN";
  }
}
