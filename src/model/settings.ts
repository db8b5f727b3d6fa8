import type { Severity } from "./finding.ts";
import type { ProbeSpec } from "./probe-spec.ts";
import type { Target } from "./target.ts";
import type { Instant } from "./time.ts";

/** What holds for one code on one target: default, then `findings:`, then the target's own. */
export interface CodeSettings {
  readonly enabled: boolean;
  /** Pins the severity; absent = the detector's own judgement. */
  readonly severity?: Severity;
  readonly holdMs: number;
  readonly clearAfterMs: number;
  /** By the limit's name; the unit is the one that its declaration fixes (time in ms). */
  readonly limits: Readonly<Record<string, number>>;
}

/** A finding that the user asked not to be told of. It stays visible under `suppressed`. */
export interface Ignore {
  readonly code: string;
  readonly target?: string;
  readonly until?: Instant;
  readonly reason: string;
}

/** Where a server listens; `host` absent = all addresses, dual-stack. */
export interface ListenAddress {
  readonly host?: string;
  readonly port: number;
}

export interface LogSettings {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly format: "json" | "text";
}

export interface TracingSettings {
  /** Absent = what the OTEL_* variables say. */
  readonly endpoint?: string;
  /** Share of the probe runs that are sampled, 0..1. Failures are exported besides. */
  readonly ratio: number;
}

/** The whole configuration, resolved and checked. */
export interface Settings {
  readonly listen: ListenAddress;
  readonly admin: ListenAddress;
  /** A bearer token for the admin listener, needed where it is not on loopback. A file's path. */
  readonly adminToken?: string;
  readonly log: LogSettings;
  /** Absent = no spans. */
  readonly tracing?: TracingSettings;
  /** Receives each finding's transition as JSON. */
  readonly webhook?: { readonly url: string };
  /** A folder for the snapshots and the ring, written when a finding opens and at SIGTERM. */
  readonly snapshots?: string;
  readonly targets: readonly Target[];
  readonly probes: readonly ProbeSpec[];
  /** By target, then code; complete for every target and every code, `grpc-doctor` included. */
  readonly findings: Readonly<Record<string, Readonly<Record<string, CodeSettings>>>>;
  readonly ignore: readonly Ignore[];
}
