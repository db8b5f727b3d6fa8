import type { Evidence, Subject } from "../model/finding.ts";
import { SERVER_FAULTS, type StatusName } from "../model/status.ts";
import { authRejected } from "./auth-rejected.ts";
import { compressionUnsupported } from "./compression-unsupported.ts";
import { contractDrift } from "./contract-drift.ts";
import { deadlineStorm } from "./deadline-storm.ts";
import { dnsStale } from "./dns-stale.ts";
import { errorBurst } from "./error-burst.ts";
import { messageTooLarge } from "./message-too-large.ts";
import { metadataTooLarge } from "./metadata-too-large.ts";
import { notGrpc } from "./not-grpc.ts";
import { WIRE } from "./root-causes.ts";
import { streamsRefused } from "./streams-refused.ts";
import { unimplementedCalls } from "./unimplemented-calls.ts";

const ON_THE_WAY: ReadonlySet<string> = new Set(WIRE.map(({ code }) => code));

/** How a client names a call that a connection or a full server ended; handlers say them as well. */
const WITHOUT_A_HANDLER: ReadonlySet<StatusName> = new Set<StatusName>([
  "CANCELLED",
  "UNKNOWN",
  "RESOURCE_EXHAUSTED",
  "INTERNAL",
  "UNAVAILABLE",
]);

/** What a server answers where one of these is the cause. */
const WORDS_OF_CAUSE: Readonly<Record<string, ReadonlySet<unknown>>> = {
  [authRejected.code]: new Set(["UNAUTHENTICATED", "PERMISSION_DENIED"]),
  [unimplementedCalls.code]: new Set(["UNIMPLEMENTED"]),
  [compressionUnsupported.code]: new Set(["UNIMPLEMENTED", "INTERNAL"]),
  [metadataTooLarge.code]: new Set(["RESOURCE_EXHAUSTED", "INTERNAL", "UNKNOWN", "UNAVAILABLE"]),
  [streamsRefused.code]: new Set(["UNAVAILABLE"]),
  [messageTooLarge.code]: new Set(["RESOURCE_EXHAUSTED", "OUT_OF_RANGE"]),
};

interface Cause {
  readonly code: string;
  readonly subject: Subject;
  readonly evidence: Evidence;
}

/**
 * Whether a fault of the target can be why a probe failed as its evidence says: an answer that came
 * and is not what was expected has come through every connection and stream, NOT_FOUND is a
 * handler's word, and a handshake that fails waits for nobody's deadline but its own.
 */
export function explainsFailure(cause: Cause, evidence: Evidence, subject: Subject): boolean {
  const words = WORDS_OF_CAUSE[cause.code];
  if (cause.code === contractDrift.code)
    return isMisread(evidence) && isOfMethod(cause.subject, evidence);
  if (words === undefined) return isInTheWay(cause, evidence);
  if (cause.code === metadataTooLarge.code && !isRefused(cause, subject)) return false;
  return words.has(evidence["status"]) && isOfMethod(cause.subject, evidence);
}

/** How a message that one side misreads ends: it cannot be decoded, or is not what was expected. */
const OF_MISREADING: ReadonlySet<unknown> = new Set<StatusName>([
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "INTERNAL",
]);

function isMisread({ phase, reason, status }: Evidence): boolean {
  return phase === "assert" || reason === "malformed_reply" || OF_MISREADING.has(status);
}

function isInTheWay(cause: Cause, { phase, reason, status }: Evidence): boolean {
  const isLate = reason === "deadline" || status === "DEADLINE_EXCEEDED";
  if (cause.code === dnsStale.code) return true; // another server's answer may be any
  if (phase === "assert") return false;
  if (cause.code === deadlineStorm.code || isLate) return isLate;
  if (phase !== "rpc") return ON_THE_WAY.has(cause.code);
  if (cause.code === notGrpc.code) return true; // an HTTP status becomes any of gRPC's
  const errors: ReadonlySet<unknown> =
    cause.code === errorBurst.code ? SERVER_FAULTS : WITHOUT_A_HANDLER;
  return errors.has(status);
}

/** Metadata that is near its limit fails no call yet. */
function isRefused({ subject, evidence }: Cause, { probe }: Subject): boolean {
  return evidence["failures"] !== undefined && subject["probe"] === probe;
}

/** A cause that names a method explains the probes of that method. */
function isOfMethod({ method }: Subject, evidence: Evidence): boolean {
  return method === undefined || method === evidence["method"];
}
