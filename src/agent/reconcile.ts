import type { Job } from "../model/job.ts";

/** What reconcile moves: the scheduler's three verbs. */
export interface JobRunner {
  start(job: Job): void;
  update(job: Job): void;
  stop(key: string): Promise<void>;
}

/**
 * Compares what runs with what should run, by key, and starts, changes and stops jobs. It decides
 * nothing. Jobs that are equal are left alone, so a reload keeps what did not change.
 */
export function createReconciler(runner: JobRunner): {
  reconcile(jobs: readonly Job[]): void;
  /** Keys of the jobs that run now. */
  keys(): readonly string[];
} {
  const running = new Map<string, { readonly job: Job; readonly text: string }>();
  return {
    reconcile(jobs) {
      const wanted = new Set(jobs.map((job) => job.key));
      for (const key of [...running.keys()].filter((key) => !wanted.has(key))) {
        running.delete(key);
        void runner.stop(key);
      }
      for (const job of jobs) {
        const text = JSON.stringify(job);
        const before = running.get(job.key);
        if (before?.text === text) continue;
        running.set(job.key, { job, text });
        if (before === undefined) runner.start(job);
        else runner.update(job);
      }
    },
    keys: () => [...running.keys()],
  };
}
