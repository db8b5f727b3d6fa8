import type { Keep } from "../grpc/keep-whole.ts";
import type { OwnCallsLedger } from "../grpc/own-calls.ts";
import type { Connection } from "../grpc/transport.ts";
import type { SocketTable } from "../host/socket-table.ts";
import type { Job, JobOf } from "../model/job.ts";
import type { Observation } from "../model/observation.ts";
import type { SourceName } from "../model/source-name.ts";
import type { Target } from "../model/target.ts";
import type { Clock, Random } from "../model/time.ts";
import type { NameResolver } from "../net/resolve.ts";

/** One run of a job: what is asked, of whom, and until when. */
export interface Run<S extends SourceName> {
  readonly job: JobOf<S>;
  readonly target: Target;
  /** Aborted at the job's deadline, and when the job is stopped. */
  readonly signal: AbortSignal;
  /** How late this run began, against its schedule; ms. */
  readonly scheduleLagMs: number;
}

/** What a source may use of the world; built once, in `agent/`, and passed in. */
export interface Tools {
  readonly clock: Clock;
  readonly random: Random;
  /**
   * The target's kept connection, opened when there is none; one per target, shared by health,
   * channelz and reflection. Rejects with a `CallError`, at once while the target drains.
   */
  keptConnection(target: Target, signal: AbortSignal): Promise<Connection>;
  /** The pod's own resolver; one for all, as it remembers which expansion of a name answered. */
  readonly resolver: NameResolver;
  /** Goes on with what credentials were while their files are not whole. */
  readonly keep: Keep;
  /** The kernel's socket table; one for all, as one read serves every target. */
  readonly socketTable: SocketTable;
  /** The ledger of our own calls, by target: servers count them like anybody's. */
  readonly ownCalls: OwnCallsLedger;
  /** Local ports of every client socket of this process, open now: to be subtracted. */
  ownPorts(): ReadonlySet<number>;
  /** Ports that this process itself listens on. */
  readonly ownListeners: readonly number[];
}

/**
 * A way to look at the world. It yields what it saw, a sick server included, and throws only for a
 * bug of ours. It knows nothing of scheduling, history, judgement or metrics.
 */
export interface Source<S extends SourceName> {
  readonly name: S;
  observe(run: Run<S>, tools: Tools): AsyncIterable<Observation>;
}

/** Infers; adds nothing. */
export function defineSource<S extends Job["source"]>(source: Source<S>): Source<S> {
  return source;
}
