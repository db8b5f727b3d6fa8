import type { Phase } from "../model/phase.ts";
import type { DialAttempt, SniffResult, TlsFacts } from "../model/xray.ts";
import type { DialAddress } from "../net/dial.ts";
import type { SessionFacts } from "./session.ts";

/** What each phase of one fresh connection showed; kept when a later phase fails. */
export interface Trail extends SessionFacts {
  /** The phase that has begun last. */
  phase: Phase;
  readonly phaseMs: Partial<Record<Phase, number>>;
  dials: readonly DialAttempt[];
  /** Of a name other than localhost. */
  addressCount?: number;
  /** Was to be used again, and would not take us. */
  insteadOf?: string;
  /** The address that took us. */
  used?: DialAddress;
  localPort?: number;
  spoke?: "plaintext" | "tls";
  tls?: TlsFacts;
  sniff?: SniffResult;
}

export function newTrail(): Trail {
  return { phase: "dns", phaseMs: {}, dials: [] };
}
