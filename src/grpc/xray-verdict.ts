import type { Reason } from "../model/reason.ts";
import type { Target } from "../model/target.ts";
import type { XrayReport } from "../model/xray.ts";
import type { CallError, CallFault } from "./call-error.ts";

type Verdict = Pick<XrayReport, "outcome" | "phase" | "reason">;

/** What we lack, or did: nothing that the server could be blamed for. */
const OF_OURS: ReadonlySet<Reason> = new Set([
  "client_certificate_required",
  "credentials",
  "agent",
]);

/** What an X-ray came to, from what ended it; `undefined` = its RPC was answered OK. */
export function verdictOf(error: CallError | undefined, target: Target): Verdict {
  if (error === undefined) return { outcome: "passed" };
  const { phase, reason } = error.fault;
  if (reason === "status") return statusVerdict(error);
  const lack = reason === "not_grpc" ? missingOverHttp(error.fault, target) : undefined;
  if (lack !== undefined) return { outcome: "unsupported", phase, reason: lack };
  return { outcome: OF_OURS.has(reason) ? "unsupported" : "failed", phase, reason };
}

function statusVerdict({ fault: { phase, status }, isCapability }: CallError): Verdict {
  // It does not know the empty name, as grpc-js does not: an answer like any other.
  if (status === "NOT_FOUND") return { outcome: "passed" };
  if (!isCapability) return { outcome: "failed", phase, reason: "status" };
  const reason = status === "UNIMPLEMENTED" ? "status" : "credentials";
  return { outcome: "unsupported", phase, reason };
}

/**
 * An HTTP answer that does not make the server sick: a demand for credentials that nobody gave us; and
 * the plain 404 by which Go's HTTP mux, and so connect-go, says that health is not served.
 */
function missingOverHttp({ answer }: CallFault, target: Target): Reason | undefined {
  const { httpStatus, contentType = "" } = answer ?? {};
  if (httpStatus === 404 && contentType.startsWith("text/plain")) return "status";
  const isDemand = httpStatus === 401 || httpStatus === 403;
  return isDemand && target.metadata.length === 0 ? "credentials" : undefined;
}
