import { STATUS_NAMES, type StatusName } from "../model/status.ts";

const NAMES: ReadonlyMap<string, StatusName> = new Map([
  ...STATUS_NAMES.map((status) => [status, status] as const),
  ...STATUS_NAMES.map((status) => [plain(status), status] as const),
  ...STATUS_NAMES.map((status, code) => [String(code), status] as const),
  ["canceled", "CANCELLED"],
]);

/**
 * A status code as metrics spell it: `DEADLINE_EXCEEDED`, `DeadlineExceeded` (Go, Rust), `Canceled` (Go),
 * `4` (OpenTelemetry's older conventions). What is none of them, as `Code(99)`, is UNKNOWN to the
 * callers too.
 *
 * Source: grpc/grpc doc/statuscodes.md; grpc-go codes.Code.String; rpc.grpc.status_code.
 */
export function statusOf(word: string): StatusName {
  return NAMES.get(word) ?? NAMES.get(plain(word)) ?? "UNKNOWN";
}

function plain(word: string): string {
  return word.replaceAll("_", "").toLowerCase();
}
