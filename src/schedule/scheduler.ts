import type { AgentEvent } from "../model/event.ts";
import type { Job } from "../model/job.ts";
import { shareOf } from "../model/share.ts";
import type { Clock, Random } from "../model/time.ts";
import { createScheduledStream } from "./scheduled-stream.ts";
import { createScheduledTurns } from "./scheduled-turns.ts";

/** What one run of a job gets from the scheduler. */
export interface RunContext {
  /** Aborted at the job's deadline, and when the job is stopped. */
  readonly signal: AbortSignal;
  /** How late the run began, against its schedule; ms. */
  readonly lagMs: number;
  /** True once the job was stopped (not at a deadline): what the run still yields must be dropped. */
  isStopped(): boolean;
}

export interface SchedulerOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** The pod's UID or name: pods of one deployment get different offsets. */
  readonly seed: string;
  /** First runs of periodic jobs are spread over this time; default 5 s, 0 for a one-shot. */
  readonly spreadMs?: number;
  /** Does the job's work. A rejection is a bug of ours: it is told as an event and contained. */
  readonly run: (job: Job, context: RunContext) => Promise<void>;
  readonly event: (event: AgentEvent) => void;
}

/**
 * The only starter of timed work.
 *
 * Every job has a fixed place in its interval, from a hash of its key and the seed; it has a deadline,
 * never overlaps itself (a turn that finds it running is skipped and told), and a throw is a failed
 * run that kills nothing. All timing is monotonic, so a wall clock that is set changes nothing; cron
 * alone reads the wall clock, and survives its jumps. Streams (`continuous`) start at once and again,
 * with back-off, when they end.
 */
export interface Scheduler {
  /** Starts a job; a job that is there already is updated. */
  start(job: Job): void;
  /** Gives a job new parameters. It keeps its history and its phase. */
  update(job: Job): void;
  /** Aborts the job, drops what it still yields, and waits for its end, 1 s at most. */
  stop(key: string): Promise<void>;
  stopAll(): Promise<void>;
}

/** One job while it is scheduled: the two cadences' common side. */
export interface ScheduledJob {
  update(job: Job): void;
  stop(): Promise<void>;
}

const FIRST_RUN_SPREAD_MS = 5_000;
/** A run that ignores its signal is left behind after this; it can yield nothing any more. */
const STOP_PATIENCE_MS = 1_000;

export function createScheduler(options: SchedulerOptions): Scheduler {
  const { clock, seed, spreadMs = FIRST_RUN_SPREAD_MS } = options;
  const scheduled = new Map<string, { isStream: boolean; job: ScheduledJob }>();

  const begin = (job: Job) => {
    const isStream = job.cadence.kind === "continuous";
    const place = { share: shareOf(`${job.key}/${seed}`), spreadMs };
    const create = isStream ? createScheduledStream : createScheduledTurns;
    scheduled.set(job.key, { isStream, job: create(job, options, place) });
  };
  const stop = async (key: string) => {
    const found = scheduled.get(key);
    if (found === undefined) return;
    scheduled.delete(key);
    const patience = new AbortController();
    await Promise.race([
      found.job.stop(),
      clock.sleep(STOP_PATIENCE_MS, patience.signal).catch(() => {
        // Aborted below: the job ended in time.
      }),
    ]);
    patience.abort();
  };
  const start = (job: Job) => {
    const found = scheduled.get(job.key);
    if (found === undefined) return begin(job);
    if (found.isStream === (job.cadence.kind === "continuous")) return found.job.update(job);
    // A stream became a poll, or the reverse: nothing of its phase is worth keeping.
    void stop(job.key);
    begin(job);
  };

  return {
    start,
    update: start,
    stop,
    async stopAll() {
      await Promise.all([...scheduled.keys()].map(stop));
    },
  };
}
