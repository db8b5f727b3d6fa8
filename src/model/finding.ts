import type { Capability } from "./capability.ts";
import type { Json } from "./json.ts";
import type { TargetState } from "./snapshot.ts";
import type { Witness } from "./source-name.ts";
import type { Instant } from "./time.ts";

export const SEVERITIES = ["info", "warning", "critical"] as const;

export type Severity = (typeof SEVERITIES)[number];

/** 0 = info, 1 = warning, 2 = critical. */
export function severityRank(severity: Severity): number {
  return SEVERITIES.indexOf(severity);
}

/** What a finding is about, beside its code and target: part of its identity. Never a socket id. */
export type Subject = Readonly<Record<string, string>>;

export type Evidence = Readonly<Record<string, Json>>;

/** One thing that a detector found now. */
export interface Symptom {
  readonly subject: Subject;
  /** Absent = the declaration's. */
  readonly severity?: Severity;
  readonly witnesses: readonly [Witness, ...Witness[]];
  /** TLS bytes, refused connects, SETTINGS, kernel rows, GOAWAY: one witness suffices for critical. */
  readonly isDeterministic?: boolean;
  /** The hold of this symptom, where the contract has several; absent = the declaration's. */
  readonly holdMs?: number;
  /**
   * Seen too briefly to be told: pending for as long as it is seen, which one look (`check`) shows as
   * suspected. It opens no finding by itself, and keeps none open.
   */
  readonly isSuspicion?: boolean;
  /** One sentence, present tense, with the numbers that convict. */
  readonly summary: string;
  readonly evidence: Evidence;
  /** Sharper than the declaration's, where the implementation or cause is known. */
  readonly remedy?: string;
  /** When it began, where that is known and earlier than the judgement. */
  readonly beganAt?: Instant;
  /** The probe run that shows it, if one does. */
  readonly traceId?: string;
  readonly spanId?: string;
}

/** A difference to the last good state. */
export interface ChangeSince {
  readonly what: "certificate" | "settings" | "dns" | "epoch" | "peers" | "configuration";
  readonly from: string;
  readonly to: string;
  readonly at: Instant;
}

/** A symptom with a life. Identity: code, target and subject. */
export interface Finding {
  readonly code: string;
  readonly severity: Severity;
  readonly target: string;
  readonly subject: Subject;
  readonly summary: string;
  readonly evidence: Evidence;
  readonly changed: readonly ChangeSince[];
  readonly remedy: string;
  readonly docs: string;
  readonly firstSeen: Instant;
  readonly lastSeen: Instant;
  /** Evaluations that saw it, coalesced to one a second. */
  readonly count: number;
  /** Codes (with their target, where it differs) that this one silences now. */
  readonly consequences: readonly string[];
  readonly witnesses: readonly Witness[];
  /** The probe run that showed it, if one did. */
  readonly traceId?: string;
  readonly spanId?: string;
  /** Sent by `drill`: marked, and false. */
  readonly isDrill?: boolean;
}

export type FindingTransition = "opened" | "escalated" | "reminded" | "resolved" | "suppressed";

/** A transition in the life of a finding: what the sinks hear. */
export interface FindingChange {
  readonly transition: FindingTransition;
  readonly at: Instant;
  readonly finding: Finding;
  /** `resolved` only. */
  readonly why?: "cleared" | "no-longer-observable" | "disabled" | "target-removed";
  /** `suppressed` only: the code that took it over. */
  readonly because?: string;
}

/** A judgement that could not be made, and what would make it possible. */
export interface Unjudged {
  readonly target: string;
  readonly code: string;
  readonly because: string;
  readonly fix?: string;
}

/** What is left until a finding is told. */
export interface Pending {
  /** At most, if it stays. */
  readonly activeInSeconds: number;
  /** Codes that may be its cause and are looked at first; absent = it waits for its hold alone. */
  readonly waitsFor?: readonly string[];
}

/** All findings at one instant; `http/` and `cli/` print it as `grpc-doctor/v1` (design: HTTP). */
export interface FindingsReport {
  readonly generatedAt: Instant;
  readonly targets: readonly {
    readonly name: string;
    readonly state: TargetState;
    readonly epoch: number;
  }[];
  readonly active: readonly Finding[];
  readonly pending: readonly (Finding & Pending)[];
  readonly recent: readonly (Finding & { readonly resolvedAt: Instant })[];
  readonly suppressed: readonly (Finding & { readonly because: string })[];
  readonly unjudged: readonly Unjudged[];
  readonly capabilities: readonly (Capability & { readonly target: string })[];
}

/** `code/target/subject`, stable over restarts and independent of key order. */
export function findingKey(code: string, target: string, subject: Subject): string {
  const parts = Object.keys(subject)
    .sort()
    .map((key) => `${key}=${subject[key]}`);
  return [code, target, ...parts].join("/");
}
