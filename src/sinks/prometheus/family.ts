import type { DetectorRecord } from "../../model/detector-record.ts";
import type { AgentEvent } from "../../model/event.ts";
import type { FindingChange, FindingsReport } from "../../model/finding.ts";
import type { Observation } from "../../model/observation.ts";
import type { ProcessReading } from "../../model/process-reading.ts";
import type { Settings } from "../../model/settings.ts";
import type { Snapshot } from "../../model/snapshot.ts";
import { AGENT_TARGET } from "../../model/target.ts";
import type { Instant } from "../../model/time.ts";

export type Labels = Readonly<Record<string, string>>;

/** A value of one series: what a gauge shows, what a counter grows by, what a histogram observes. */
export interface Sample {
  readonly labels: Labels;
  readonly value: number;
  /** The run behind the value; OpenMetrics only. At most 128 characters in all. */
  readonly exemplar?: Labels;
}

/** What the agent was built of. */
export interface Build {
  readonly version: string;
  readonly node: string;
}

/** The part of a detector's record that says where its series belong. */
export type Code = Pick<DetectorRecord, "code" | "layer">;

/** What the configuration alone fixes: the series that are known before anything happened. */
export interface Plan {
  readonly settings: Settings;
  readonly codes: readonly Code[];
  /** What a channel's target text names: `name:port`, in lower case. */
  readonly upstreamOf: (target: string) => string;
}

/** All that a scrape is made of. */
export interface Scrape extends Plan {
  readonly now: Instant;
  /** An instant of the agent's own time by the wall clock. */
  readonly shown: (at: Instant) => Instant;
  readonly snapshot: Snapshot;
  readonly report: FindingsReport;
  readonly process: ProcessReading;
  readonly build: Build;
  /** Series that were left out for want of room since the agent began, each once. */
  readonly seriesDropped: number;
}

/**
 * Where the values of a family come from. `observe`, `hear` and `change` feed a counter or histogram
 * that the sink accumulates; `read` answers a scrape with whole values, of gauges and of counters
 * that somebody else counts.
 */
export interface Feed {
  observe?(observation: Observation): readonly Sample[];
  hear?(event: AgentEvent): readonly Sample[];
  change?(change: FindingChange): readonly Sample[];
  read?(scrape: Scrape): readonly Sample[];
  /** Accumulated series that exist from the start, at 0: a first failure is an increase. */
  starts?(plan: Plan): readonly Labels[];
}

/** The pod of the arithmetic: one app in plaintext and TLS alike, no probe, no upstream. */
export interface DefaultPod {
  /** Codes that are on by default for the app, and for the agent itself. */
  readonly appCodes: number;
  readonly agentCodes: number;
}

export interface Family {
  /** As text shows it: with `_total`, `_info`. */
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "info";
  /** Base unit; part of the name. */
  readonly unit?: "seconds" | "bytes";
  readonly labels: readonly string[];
  /** Histograms: upper bounds in the unit, without the infinite one. */
  readonly buckets?: readonly number[];
  readonly exemplars?: boolean;
  /** Series in the default pod when all of it is known: a number, or by the number of codes. */
  readonly inDefaultPod: number | ((pod: DefaultPod) => number);
  /** Series that each configured probe adds from its first run on; absent = none. */
  readonly perProbe?: number;
  /** A fresh feed for each sink: what it remembers is its own. */
  readonly from: () => Feed;
}

export const PREFIX = "grpc_doctor_";

/** Lines of one label set: a histogram has its buckets, the infinite one, sum and count. */
export function seriesOf(family: Family): number {
  return family.type === "histogram" ? (family.buckets ?? []).length + 3 : 1;
}

/** Names of the configured targets and of the agent itself. */
export function targetNames({ settings }: Plan): readonly string[] {
  return [...settings.targets.map((target) => target.name), AGENT_TARGET];
}

export function seconds(ms: number): number {
  return ms / 1000;
}
