import type { Phase } from "../model/phase.ts";
import type { Reason } from "../model/reason.ts";
import type { StatusName } from "../model/status.ts";

export interface CallFault {
  readonly phase: Phase;
  readonly reason: Reason;
  /** Absent when the server did not answer with a gRPC status. */
  readonly status?: StatusName;
  /** The server's text: one line, at most 200 characters, masked. */
  readonly statusText?: string;
  /** HTTP/2 error code of a RST_STREAM or GOAWAY. */
  readonly resetCode?: number;
  readonly errno?: string;
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
}
