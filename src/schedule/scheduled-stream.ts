import type { Job } from "../model/job.ts";
import { runOnce } from "./run-once.ts";
import type { ScheduledJob, SchedulerOptions } from "./scheduler.ts";
import { createUrgentWish } from "./urgent-wish.ts";
import { createWakeUp } from "./wake-up.ts";

const FIRST_BACKOFF_MS = 1_000;
const MAX_BACKOFF_MS = 30_000;
const BACKOFF_FACTOR = 1.6;
/** A share up and down: many pods that lost one server do not come back at one moment. */
const BACKOFF_JITTER = 0.2;

/**
 * A job without end. It starts at once; when it ends it starts again after 1 s, then 1.6 times that,
 * up to 30 s; one that lived for 30 s begins at 1 s again (gRPC's connection back-off with a lower
 * ceiling, as this stream is cheap and its absence blinds). A wish cuts the wait short. New
 * parameters end the stream of before, and start the new one without delay.
 *
 * Source: grpc/grpc doc/connection-backoff.md.
 */
class ScheduledStream implements ScheduledJob {
  readonly #options: SchedulerOptions;
  readonly #wish;
  readonly #wakeUp;
  readonly #life: Promise<void>;
  #job: Job;
  #isStopped = false;
  #run = new AbortController();

  constructor(job: Job, options: SchedulerOptions) {
    this.#job = job;
    this.#options = options;
    this.#wish = createUrgentWish(options.clock, options.random);
    this.#wakeUp = createWakeUp(options.clock);
    this.#wish.set(job.urgency);
    this.#life = this.#live();
  }

  update(job: Job): void {
    const before = this.#job;
    this.#job = job;
    const isAnotherStream = !isSameStream(before, job);
    if (isAnotherStream) this.#run.abort(new DOMException("Replaced", "AbortError"));
    if (this.#wish.set(job.urgency) || isAnotherStream) this.#wakeUp.call();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#run.abort(new DOMException("The job was stopped", "AbortError"));
    this.#wakeUp.call();
    await this.#life;
  }

  async #live(): Promise<void> {
    let backoffMs = FIRST_BACKOFF_MS;
    while (!this.#isStopped) {
      const { clock, random } = this.#options;
      this.#run = new AbortController();
      this.#wish.serve();
      const startedMs = clock.monotonicMs();
      await runOnce(this.#job, this.#options, { lagMs: 0, stopped: this.#run.signal });
      if (this.#run.signal.aborted) {
        backoffMs = FIRST_BACKOFF_MS;
        continue;
      }
      if (clock.monotonicMs() - startedMs >= MAX_BACKOFF_MS) backoffMs = FIRST_BACKOFF_MS;
      await this.#pause(backoffMs * (1 + BACKOFF_JITTER * (2 * random() - 1)));
      backoffMs = Math.min(backoffMs * BACKOFF_FACTOR, MAX_BACKOFF_MS);
    }
  }

  /** Waits until the back-off has passed, a wish is due, or the job was stopped or replaced. */
  async #pause(ms: number): Promise<void> {
    const untilMs = this.#options.clock.monotonicMs() + ms;
    const dueMs = () => Math.min(untilMs, this.#wish.atMs ?? untilMs);
    let isOver = false;
    while (!isOver && !this.#run.signal.aborted) isOver = await this.#wakeUp.sleepUntil(dueMs());
  }
}

export function createScheduledStream(job: Job, options: SchedulerOptions): ScheduledJob {
  return new ScheduledStream(job, options);
}

/** Whether two plans ask for the same stream: all but the wish, which only starts one. */
function isSameStream(a: Job, b: Job): boolean {
  const { urgency: _a, ...before } = a;
  const { urgency: _b, ...after } = b;
  return JSON.stringify(before) === JSON.stringify(after);
}
