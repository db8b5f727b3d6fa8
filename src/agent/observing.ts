import type { Job } from "../model/job.ts";
import type { Observation } from "../model/observation.ts";
import type { SourceName } from "../model/source-name.ts";
import type { Target } from "../model/target.ts";
import type { RunContext } from "../schedule/scheduler.ts";
import { SOURCES } from "../sources/index.ts";
import type { Run, Source, Tools } from "../sources/source.ts";

/** What a run of a job needs beside the job. */
export interface Observing {
  readonly tools: Tools;
  /** `undefined` once the target was removed: the run is dropped. */
  targetOf(name: string): Target | undefined;
  observe(observation: Observation): void;
}

/**
 * Runs one job: asks its source, and hands on what it yields. What a job that was stopped still yields
 * is dropped: its target may be another by now.
 */
export async function runJob(
  job: Job,
  context: RunContext,
  { tools, targetOf, observe }: Observing,
): Promise<void> {
  const target = targetOf(job.target);
  if (target === undefined) return;
  // The job's source and the registry's entry have the same name, which the type cannot say.
  const source = SOURCES[job.source] as Source<SourceName>;
  const run: Run<SourceName> = {
    job,
    target,
    signal: context.signal,
    scheduleLagMs: context.lagMs,
  };
  for await (const observation of source.observe(run, tools)) {
    if (context.isStopped()) return;
    observe(observation);
  }
}
