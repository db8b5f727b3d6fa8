import type { Cadence, Job } from "../model/job.ts";
import { about, runOnce } from "./run-once.ts";
import type { ScheduledJob, SchedulerOptions } from "./scheduler.ts";
import { createTimetable, type Timetable, type Turn } from "./timetable.ts";
import { createUrgentWish } from "./urgent-wish.ts";
import { createWakeUp } from "./wake-up.ts";

export interface Place {
  /** In [0, 1): the job's own place within the spread. */
  readonly share: number;
  readonly spreadMs: number;
}

type DueTurn = Turn | { readonly atMs: number; readonly kind: "urgent" };

/**
 * A job that runs in turns: `every` and `cron`. One loop sleeps until the next turn, or until it is
 * woken because the job changed or a run ended; the run itself goes on beside the loop.
 */
class ScheduledTurns implements ScheduledJob {
  readonly #options: SchedulerOptions;
  readonly #place: Place;
  readonly #wish;
  readonly #wakeUp;
  readonly #stopper = new AbortController();
  readonly #life: Promise<void>;
  #job: Job;
  #timetable: Timetable;
  #lastRunMs: number | undefined;
  #lastEndMs = 0;
  #running: { readonly isUrgent: boolean; readonly ended: Promise<void> } | undefined;

  constructor(job: Job, options: SchedulerOptions, place: Place) {
    this.#job = job;
    this.#options = options;
    this.#place = place;
    this.#wish = createUrgentWish(options.clock, options.random);
    this.#wish.set(job.urgency);
    this.#wakeUp = createWakeUp(options.clock);
    this.#timetable = this.#newTimetable();
    this.#life = this.#live();
  }

  update(job: Job): void {
    const before = this.#job;
    this.#job = job;
    const isAnotherWish = this.#wish.set(job.urgency);
    const isAnotherCadence = !isSame(before.cadence, job.cadence);
    if (isAnotherCadence) this.#timetable = this.#newTimetable();
    if (isAnotherWish || isAnotherCadence) this.#wakeUp.call();
  }

  async stop(): Promise<void> {
    this.#stopper.abort(new DOMException("The job was stopped", "AbortError"));
    this.#wakeUp.call();
    await Promise.all([this.#life, this.#running?.ended]);
  }

  #newTimetable(): Timetable {
    const { cadence } = this.#job;
    if (cadence.kind === "continuous") throw new TypeError("A stream has no timetable");
    return createTimetable(cadence, {
      clock: this.#options.clock,
      ...this.#place,
      ...(this.#lastRunMs === undefined ? {} : { lastRunMs: this.#lastRunMs }),
    });
  }

  async #live(): Promise<void> {
    while (!this.#stopper.signal.aborted) {
      const turn = this.#nextTurn();
      const isDue = await this.#wakeUp.sleepUntil(turn.atMs);
      if (isDue && !this.#stopper.signal.aborted) this.#take(turn);
    }
  }

  #nextTurn(): DueTurn {
    const turn = this.#timetable.next();
    const wishedMs = this.#running === undefined ? this.#wish.atMs : undefined;
    if (wishedMs === undefined || wishedMs >= turn.atMs) return turn;
    // Waiting for the run before is no lateness.
    return { atMs: Math.max(wishedMs, this.#lastEndMs), kind: "urgent" };
  }

  #take(turn: DueTurn): void {
    if (turn.kind === "look") return;
    const lagMs = Math.max(0, this.#options.clock.monotonicMs() - turn.atMs);
    if (turn.kind === "urgent") return this.#begin(lagMs, true);

    const { intervalMs } = this.#timetable;
    const missed = this.#timetable.take(this.#options.clock.monotonicMs());
    if (missed > 0) this.#skip("late");
    if (this.#running === undefined) return this.#begin(lagMs, false, intervalMs);
    // An urgent run that is under way does this turn's work.
    if (!this.#running.isUrgent) this.#skip("still-running");
  }

  #begin(lagMs: number, isUrgent: boolean, intervalMs?: number): void {
    const { clock } = this.#options;
    this.#wish.serve();
    this.#lastRunMs = clock.monotonicMs();
    const terms = { lagMs, intervalMs, stopped: this.#stopper.signal };
    const ended = runOnce(this.#job, this.#options, terms).then(() => {
      this.#running = undefined;
      this.#lastEndMs = clock.monotonicMs();
      // A wish that came during the run was about what the run could not know: it is due now.
      if (this.#wish.atMs !== undefined) this.#wakeUp.call();
    });
    this.#running = { isUrgent, ended };
  }

  #skip(why: "still-running" | "late"): void {
    const { clock, event } = this.#options;
    event({ kind: "job-skipped", ...about(this.#job, clock.now()), why });
  }
}

export function createScheduledTurns(
  job: Job,
  options: SchedulerOptions,
  place: Place,
): ScheduledJob {
  return new ScheduledTurns(job, options, place);
}

function isSame(a: Cadence, b: Cadence): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
