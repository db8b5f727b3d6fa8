import type { SourceName } from "./source-name.ts";
import type { Instant } from "./time.ts";

/** What the agent serves, as the configuration names it. */
export type ListenerName = "listen" | "admin";

interface Base {
  readonly at: Instant;
}

/**
 * A fact about ourselves. Events go to the sinks, and reach the store as facts of the reserved
 * target, so that the agent's own faults are judged by pure detectors too.
 */
export type AgentEvent = Base &
  (
    | {
        readonly kind: "started";
        readonly version: string;
        readonly targets: number;
        readonly probes: number;
        /** Where /metrics is, and where the findings are: `host:port`. */
        readonly listen: string;
        readonly admin: string;
        /** Whose port could not be had; each is asked for again. */
        readonly notYet: readonly ListenerName[];
      }
    | { readonly kind: "stopping"; readonly signal: string }
    | {
        readonly kind: "job-finished";
        readonly job: string;
        readonly source: SourceName;
        readonly target: string;
        readonly durationMs: number;
        readonly lagMs: number;
        readonly intervalMs?: number;
      }
    | {
        readonly kind: "job-skipped";
        readonly job: string;
        readonly target: string;
        readonly why: "still-running" | "late";
      }
    | {
        readonly kind: "job-failed";
        readonly job: string;
        readonly target: string;
        readonly errorText: string;
        readonly stack?: string;
      }
    | { readonly kind: "sink-failed"; readonly sink: string; readonly errorText: string }
    | { readonly kind: "sink-recovered"; readonly sink: string }
    /** What a sink had to tell and could not: lines of the log, transitions of the webhook. */
    | { readonly kind: "sink-dropped"; readonly sink: string; readonly count: number }
    | {
        readonly kind: "detector-crashed";
        readonly detector: string;
        readonly target: string;
        readonly errorText: string;
        readonly stack?: string;
      }
    | { readonly kind: "detector-ran"; readonly detector: string; readonly durationMs: number }
    | { readonly kind: "config-loaded"; readonly file: string; readonly changed: readonly string[] }
    /** Read again because somebody asked; it says what runs already. */
    | { readonly kind: "config-unchanged"; readonly file: string }
    | {
        readonly kind: "config-rejected";
        readonly file: string;
        readonly faults: readonly string[];
        readonly runningOn: "last-good" | "default";
        readonly runningSince: Instant;
      }
    | { readonly kind: "config-warning"; readonly text: string }
    /** Files of credentials that were whole are not (`fault`), or are again. */
    | {
        readonly kind: "credentials";
        readonly paths: readonly string[];
        readonly fault?: string;
        /** They never were whole, so nothing else is in use. */
        readonly hasNone?: true;
      }
    /** The loop stood still: an evaluation that was due began so much later. */
    | { readonly kind: "stalled"; readonly lateMs: number }
    | {
        readonly kind: "self";
        readonly lagP99Ms: number;
        readonly windowMs: number;
        readonly throttledRatio?: number;
        readonly rssBytes: number;
        readonly limitBytes?: number;
        /** Open file descriptors against the permitted ones (0..1); absent where /proc does not tell. */
        readonly descriptorsRatio?: number;
      }
    | { readonly kind: "spans-dropped"; readonly count: number }
    | { readonly kind: "snapshot-written"; readonly file: string }
  );

export type EventKind = AgentEvent["kind"];
