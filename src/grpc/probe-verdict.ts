import type { ProbePhase } from "../model/phase.ts";
import type { ProbeSpec } from "../model/probe-spec.ts";
import type { Reason } from "../model/reason.ts";
import type { StatusName } from "../model/status.ts";
import type { Target } from "../model/target.ts";
import type { CallError, CallFault } from "./call-error.ts";
import type { Missing } from "./missing.ts";

/** What a fault makes of a run. */
export interface Faulty {
  readonly outcome: "failed" | "unsupported";
  readonly phase: ProbePhase;
  readonly reason: Reason;
  readonly status?: StatusName;
  readonly statusText?: string;
  readonly missing?: Missing;
}

interface Asked {
  readonly spec: ProbeSpec;
  readonly target: Target;
}

/** A refusal of one who showed nothing is no fault of the server, nor is what we ourselves lack. */
export function verdictOf({ fault }: CallError, asked: Asked): Faulty {
  const { phase, reason, status, statusText } = fault;
  const told = {
    phase,
    reason,
    ...(status !== undefined && { status }),
    ...(statusText !== undefined && { statusText }),
  };
  if (reason === "agent") {
    const missing = { part: "connection", reason: fault.errno ?? reason, fix: GIVE_RESOURCES };
    return { ...told, outcome: "unsupported", missing };
  }
  if (!lacksCredentials(fault, asked)) return { ...told, outcome: "failed" };
  const missing = { part: "credentials", reason: status ?? reason, fix: GIVE_CREDENTIALS };
  return { ...told, outcome: "unsupported", missing };
}

function lacksCredentials({ reason, status }: CallFault, { spec, target }: Asked): boolean {
  const hasCertificate = target.tls?.mode === "tls" && target.tls.cert !== undefined;
  if (reason === "client_certificate_required") return !hasCertificate;
  const asksWho = status === "UNAUTHENTICATED" || status === "PERMISSION_DENIED";
  return asksWho && !hasCertificate && target.metadata.length + spec.metadata.length === 0;
}

const GIVE_RESOURCES =
  "Raise the agent's limit of file descriptors or memory, or give the pod a name server.";
const GIVE_CREDENTIALS =
  "Give the probe or its target `metadata` or a client certificate that the server accepts.";
