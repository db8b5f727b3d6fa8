/** The status codes of gRPC, by number. Source: grpc/grpc doc/statuscodes.md. */
export const STATUS_NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

export type StatusName = (typeof STATUS_NAMES)[number];

/** The name of a status code; UNKNOWN for a number outside the enumeration, as the spec asks. */
export function statusName(code: number): StatusName {
  return STATUS_NAMES[code] ?? "UNKNOWN";
}

/**
 * Codes that accuse the server. The others are the caller's (INVALID_ARGUMENT, NOT_FOUND …), or
 * say nothing about who is at fault (CANCELLED, DEADLINE_EXCEEDED, and UNIMPLEMENTED, by which clients
 * learn what a server has).
 */
export const SERVER_FAULTS: ReadonlySet<StatusName> = new Set<StatusName>([
  "UNKNOWN",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "RESOURCE_EXHAUSTED",
]);

/** `grpc.health.v1.HealthCheckResponse.ServingStatus`. Source: grpc/health/v1/health.proto. */
export type ServingStatus = "UNKNOWN" | "SERVING" | "NOT_SERVING" | "SERVICE_UNKNOWN";
