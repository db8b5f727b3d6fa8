import type { Expectation } from "./facts/expectation.ts";
import type { FactName } from "./facts/index.ts";
import type { Severity } from "./finding.ts";

/**
 * Where a fault sits. An edge of `causes` never points upwards in this order; client and probe rank
 * with handler, and the agent stands apart.
 */
export const LAYERS = ["dns", "listen", "tcp", "tls", "http2", "grpc", "handler", "agent"] as const;

export type Layer = (typeof LAYERS)[number];

/** A threshold that the user can set. Its unit fixes how YAML writes it: `60s`, `0.05`, `20`, `64KiB`. */
export interface Limit {
  readonly unit: "ms" | "ratio" | "count" | "bytes";
  readonly default: number;
  readonly min: number;
  readonly max: number;
  /** What it decides, in one line: for the schema and the code's page. */
  readonly says: string;
  /** A limit of the same code and unit. Above it the code, or one of its severities, would be mute. */
  readonly atMost?: string;
}

export type Limits = Readonly<Record<string, Limit>>;

/** What is fixed about a code: its catalogue entry, its configuration, its documentation key. */
/** What must be configured for a code to be judged at all. */
export interface Expects {
  /** As the configuration names it, to follow "configure": "`authority` of the target". */
  readonly what: string;
  readonly isStated: (expectation: Expectation) => boolean;
}

export interface DetectorRecord {
  readonly code: string;
  /** A short sentence without full stop. */
  readonly title: string;
  readonly layer: Layer;
  /** The highest severity that it gives by default; a symptom may say less. */
  readonly severity: Severity;
  /** Imperative, one or two sentences. */
  readonly remedy: string;
  readonly holdMs: number;
  readonly clearAfterMs: number;
  /** False: must be switched on. */
  readonly onByDefault?: boolean;
  readonly limits: Limits;
  /** Absent: nothing must be stated. */
  readonly expects?: Expects;
  readonly needs: readonly FactName[];
  readonly uses: readonly FactName[];
}
