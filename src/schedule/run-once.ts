import { crashText } from "../model/crash-text.ts";
import type { Job } from "../model/job.ts";
import type { SchedulerOptions } from "./scheduler.ts";

/** One run: what is told of it, and what it may use. */
export interface RunTerms {
  readonly lagMs: number;
  readonly intervalMs?: number | undefined;
  /** Aborted when the job is stopped, and by nothing else. */
  readonly stopped: AbortSignal;
}

/**
 * Runs a job once, to its end, and tells of it: `job-finished` always, `job-failed` besides when it
 * threw. A run that was stopped is no outcome and is not told. Never rejects.
 */
export async function runOnce(
  job: Job,
  options: SchedulerOptions,
  { lagMs, intervalMs, stopped }: RunTerms,
): Promise<void> {
  const { clock, event } = options;
  const startedMs = clock.monotonicMs();
  const signal = Number.isFinite(job.deadlineMs)
    ? clock.deadline(job.deadlineMs, stopped)
    : stopped;
  let failure: unknown;
  let hasFailed = false;
  try {
    await options.run(job, { signal, lagMs, isStopped: () => stopped.aborted });
  } catch (thrown) {
    failure = thrown;
    hasFailed = true;
  }
  if (stopped.aborted) return;
  if (hasFailed) event({ kind: "job-failed", ...about(job, clock.now()), ...crashText(failure) });
  event({
    kind: "job-finished",
    ...about(job, clock.now()),
    source: job.source,
    durationMs: clock.monotonicMs() - startedMs,
    lagMs,
    ...(intervalMs === undefined ? {} : { intervalMs }),
  });
}

/** What every event of a job says. */
export function about(job: Job, at: number): { at: number; job: string; target: string } {
  return { at, job: job.label, target: job.target };
}
