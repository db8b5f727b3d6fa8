import type { Phase } from "../model/phase.ts";
import type { Reason } from "../model/reason.ts";
import { isShortage } from "../model/shortage.ts";
import type { StatusName } from "../model/status.ts";
import type { RpcFacts } from "../model/xray.ts";

export interface CallFault {
  readonly phase: Phase;
  readonly reason: Reason;
  /**
   * The server's own status, or the one that gRPC maps its HTTP status or reset code to. Absent when
   * nothing was answered.
   */
  readonly status?: StatusName;
  /** The server's text: one line, at most 200 characters, masked. */
  readonly statusText?: string;
  /** HTTP/2 error code of a RST_STREAM or GOAWAY. */
  readonly resetCode?: number;
  readonly errno?: string;
  /** What was answered, as HTTP and as gRPC; in phase `rpc` only. */
  readonly answer?: RpcFacts;
  readonly cause?: unknown;
}

/**
 * The one error of the boundary to the network: every failure of a connection or a call becomes one,
 * with the phase in which it happened and a reason of the closed set.
 */
export class CallError extends Error {
  readonly fault: CallFault;

  constructor(fault: CallFault) {
    super(`${fault.phase}: ${fault.statusText ?? fault.errno ?? fault.reason}`, {
      cause: fault.cause,
    });
    this.name = "CallError";
    this.fault = fault;
  }

  /** UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED: the server will not do this for us. */
  get isCapability(): boolean {
    const { status } = this.fault;
    return (
      status === "UNIMPLEMENTED" || status === "UNAUTHENTICATED" || status === "PERMISSION_DENIED"
    );
  }

  /** None came about, or it was lost, and not for what was sent over it. */
  get isWithoutConnection(): boolean {
    return this.fault.phase !== "rpc" && this.fault.reason !== "flooded";
  }

  /**
   * Something was answered that is no answer of the service, and will be none the next time. A proxy's
   * error page is not that: it goes with the error.
   */
  get isUnreadable(): boolean {
    const { reason, answer } = this.fault;
    if (reason !== "not_grpc")
      return reason === "malformed_reply" || reason === "message_too_large";
    return answer?.httpStatus === 200 && answer.contentType?.startsWith(GRPC) !== true;
  }

  /**
   * Makes one of anything that was thrown: what is one already stays as it is; a deadline, a system
   * error and one of Node's libraries are told by name and code, never by their text.
   */
  static from(thrown: unknown, phase: Phase): CallError {
    if (thrown instanceof CallError) return thrown;
    const code = errorCode(thrown);
    return new CallError({
      phase,
      reason: reasonOf(thrown, code),
      ...(code !== undefined && SYSTEM_ERROR.test(code) ? { errno: code } : {}),
      cause: thrown,
    });
  }
}

const GRPC = "application/grpc";

/** System errors are one word; the codes of Node's own libraries begin with `ERR_`. */
const SYSTEM_ERROR = /^E(?!RR_)[A-Z0-9]+$/;

/** Source: gRFC A94 for the words of a lost connection; libuv's names. */
const REASON_BY_CODE: Readonly<Record<string, Reason>> = {
  ECONNREFUSED: "refused",
  // Nothing listens on a unix socket that does not exist.
  ENOENT: "refused",
  EHOSTUNREACH: "no_route",
  ENETUNREACH: "no_route",
  EACCES: "no_route",
  ETIMEDOUT: "connection_timed_out",
  ECONNRESET: "connection_reset",
  EPIPE: "connection_reset",
  ECONNABORTED: "connection_aborted",
  ENOTFOUND: "nxdomain",
  ENODATA: "no_data",
  ESERVFAIL: "servfail",
  EREFUSED: "dns_refused",
  ETIMEOUT: "dns_timeout",
  EAI_AGAIN: "servfail",
  ERR_HTTP2_GOAWAY_SESSION: "goaway",
  ERR_HTTP2_SESSION_ERROR: "goaway",
  ERR_HTTP2_STREAM_ERROR: "stream_reset",
  ERR_HTTP2_STREAM_CANCEL: "connection_closed",
  ERR_HTTP2_INVALID_SESSION: "connection_closed",
  ERR_STREAM_PREMATURE_CLOSE: "connection_closed",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "protocol_version",
  // nghttp2 met bytes that are no HTTP/2.
  ERR_HTTP2_ERROR: "not_http2",
};

/** The code of a thrown error, or of the nearest of its causes that has one. */
export function errorCode(thrown: unknown): string | undefined {
  let error = thrown;
  for (let depth = 0; depth < MOST_CAUSES && error instanceof Error; depth += 1) {
    if ("code" in error && typeof error.code === "string") return error.code;
    error = error.cause;
  }
  return undefined;
}

const MOST_CAUSES = 8;

/** What the system refused: for our own shortage no server is to blame. */
export function socketReason(errno: string): Reason {
  return isShortage(errno) ? "agent" : "socket_error";
}

function reasonOf(thrown: unknown, code: string | undefined): Reason {
  if (thrown instanceof Error && thrown.name === "TimeoutError") return "deadline";
  // Our own signal was aborted: we went, the server did nothing.
  if (thrown instanceof Error && thrown.name === "AbortError") return "agent";
  if (code === undefined) return "other";
  const known = REASON_BY_CODE[code];
  if (known !== undefined) return known;
  if (code.startsWith("ERR_SSL_") || code.startsWith("ERR_TLS_")) return "handshake_failed";
  return SYSTEM_ERROR.test(code) ? socketReason(code) : "other";
}
