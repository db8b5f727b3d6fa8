import type { Json } from "./json.ts";
import type { StatusName } from "./status.ts";
import type { MetadataEntry } from "./target.ts";

/** When a probe runs: a fixed interval, or a cron expression (five fields, the pod's time zone). */
export type Schedule = { readonly everyMs: number } | { readonly cron: string };

export type Compression = "identity" | "gzip" | "deflate";

/** What a run must show to have passed. */
export interface ProbeExpectation {
  readonly status: StatusName;
  /** An objective, not a failure: a run that misses only this one has passed, slowly. */
  readonly latencyMs?: number;
  /** CEL over `response`, `responses`, `headers`, `trailers`, `status`, `latency`; each must be true. */
  readonly that: readonly string[];
}

/** A configured RPC, run on a schedule. */
export interface ProbeSpec {
  readonly name: string;
  readonly target: string;
  /** `package.Service/Method`. */
  readonly method: string;
  /** ProtoJSON messages in order: one for a unary or server-streaming method. */
  readonly requests: readonly Json[];
  readonly schedule: Schedule;
  readonly deadlineMs: number;
  /** `kept`: one channel over all runs; `fresh`: a new connection for each run. */
  readonly connection: "kept" | "fresh";
  readonly compression: Compression;
  /** Added to the target's; the same key here wins. */
  readonly metadata: readonly MetadataEntry[];
  readonly expect: ProbeExpectation;
  /** A FileDescriptorSet; absent = the target's, else server reflection. */
  readonly protoset?: string;
}
