import type { ProbePhase } from "../phase.ts";
import type { Reason } from "../reason.ts";
import type { StatusName } from "../status.ts";
import type { Instant } from "../time.ts";
import type { XrayReport } from "../xray.ts";

/** What a call sent beside its messages, as HTTP/2 counts it. Source: RFC 9113 section 6.5.2. */
export interface SentMetadata {
  /** Names and values, and 32 for each; without what the client adds of its own, some 400 bytes. */
  readonly bytes: number;
  readonly largestKey: string;
  readonly largestValueBytes: number;
}

/** A probe's descriptor set, held against what the server's reflection describes. */
export interface ContractFacts {
  /** Pairs of messages that were compared. */
  readonly checkedTypes: number;
  /** Where they misread each other: `message.field: was → is`; at most 20. */
  readonly differences: readonly string[];
}

/** One run, as far as judgement needs it. */
export interface ProbeRun {
  readonly at: Instant;
  readonly outcome: "passed" | "failed" | "unsupported";
  readonly phase?: ProbePhase;
  readonly reason?: Reason;
  readonly status?: StatusName;
  readonly statusText?: string;
  readonly ms: number;
  readonly phaseMs: XrayReport["phaseMs"];
  readonly assertion?: string;
  readonly actual?: string;
  readonly isFirstOnChannel: boolean;
  /** Made while our own timing could not be trusted. */
  readonly isSuspect: boolean;
  readonly address?: string;
  /** Absent where none is configured, or no call was made. */
  readonly metadata?: SentMetadata;
  readonly traceId: string;
  readonly spanId: string;
}

export interface ProbeHistory {
  readonly method: string;
  readonly connection: "kept" | "fresh";
  readonly deadlineMs: number;
  /** Absent for cron. */
  readonly everyMs?: number;
  readonly objectiveMs?: number;
  readonly hasCredentials: boolean;
  /** Whether the method is unary, where descriptors tell. */
  readonly isUnary?: boolean;
  /** Newest last, at most 20; across epochs. */
  readonly runs: readonly ProbeRun[];
  /** Failures since the last run that did not fail, without those that the agent itself spoilt. */
  readonly failedInRow?: number;
  readonly lastOkAt?: Instant;
  /** As the newest run found it; absent = not told. */
  readonly contract?: ContractFacts;
}

/** The configured probes of a target, by name. */
export interface Probes {
  readonly probes: Readonly<Record<string, ProbeHistory>>;
}
