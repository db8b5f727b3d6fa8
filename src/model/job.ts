import type { ProbeSpec } from "./probe-spec.ts";
import type { SourceName } from "./source-name.ts";
import type { LookAt } from "./xray.ts";

/**
 * When a job runs. `continuous` is a stream: started at once, started again (with back-off) when it
 * ends. `cron` has five fields.
 */
export type Cadence =
  | {
      readonly kind: "every";
      readonly ms: number;
      /** Two runs are never closer than `ms`: what they cost is bounded by it. */
      readonly keepsDistance?: boolean;
    }
  | { readonly kind: "cron"; readonly expression: string }
  | { readonly kind: "continuous" };

/** A wish for one run before the cadence's next. A key that was served once is not served again. */
export interface Urgency {
  readonly key: string;
  /** The run starts within this time; its exact moment is jittered. */
  readonly withinMs: number;
}

interface JobBase<S extends SourceName> {
  /** Unique and stable: the same key is the same job, whatever else changed. */
  readonly key: string;
  readonly source: S;
  /** The job's name as a metric label: source, or `probe/<name>`. From a closed set. */
  readonly label: string;
  readonly target: string;
  readonly cadence: Cadence;
  /** Below the cadence's interval; Infinity for a stream. */
  readonly deadlineMs: number;
  readonly urgency?: Urgency;
}

/** What the kernel's table is asked on behalf of one target. */
export interface KernelInterest {
  readonly target: string;
  readonly role: "app" | "upstream";
  /** `undefined` for unix sockets. */
  readonly port?: number;
  /** Upstream: the addresses that count as this upstream (answers now and before). */
  readonly addresses: readonly string[];
  /** Role app: the local port of our kept connection, where there is one. */
  readonly keptPort?: number;
  /** True for one target only: it is told of what concerns the pod as a whole. */
  readonly ownsPod: boolean;
}

/** One planned use of a source on a target. */
export type Job =
  | (JobBase<"health"> & {
      /** Watch: a stream for one service. Poll: Check for each. Discover: List and reflection. */
      readonly mode: "watch" | "poll" | "discover";
      readonly services: readonly string[];
    })
  | (JobBase<"channelz"> & {
      /** GetSocket calls allowed in this cycle. */
      readonly socketBudget: number;
      /** Socket ids to read first: the fastest growing. */
      readonly suspects: readonly number[];
      /** The rest is read in turn: go on after this socket id; 0 = from the first. */
      readonly resumeAfter: number;
    })
  | (JobBase<"preflight"> & {
      /** The pod's address, dialled besides when only loopback listens. */
      readonly alsoDial?: string;
      /** Each of the addresses whose turn it is (at most 4) is tried, as some refuse. */
      readonly everyAddress: boolean;
      /** Which address is looked through: the last one, among those that were dialled with it, or the next. */
      readonly lookAt?: LookAt;
      /**
       * What the target was last spoken to with success; tried first where its configuration does not
       * say, as the wrong guess leaves a line in the server's log. Absent = plaintext first.
       */
      readonly lastSpoke?: "plaintext" | "tls";
    })
  | (JobBase<"probe"> & {
      readonly spec: ProbeSpec;
      /** Share of the runs to be sampled, 0..1; 1 for the run after a failure. */
      readonly sampleRatio: number;
    })
  | (JobBase<"dns"> & { readonly name: string; readonly nameServer?: string })
  | (JobBase<"kernel"> & { readonly interests: readonly KernelInterest[] })
  | (JobBase<"metrics"> & { readonly url: string })
  | (JobBase<"files"> & { readonly certificate: string });

export type JobOf<S extends SourceName> = Extract<Job, { readonly source: S }>;
