import { expect, it } from "vitest";
import type { AgentEvent } from "../../src/model/event.ts";
import type { Job, JobOf } from "../../src/model/job.ts";
import { shareOf } from "../../src/model/share.ts";
import { createScheduler, type RunContext } from "../../src/schedule/scheduler.ts";
import { createManualClock, START } from "../support/clock.ts";

const aJob = (change: Partial<JobOf<"dns">> = {}): Job => ({
  key: "app/dns",
  source: "dns",
  label: "dns",
  target: "app",
  name: "orders.shop.svc",
  cadence: { kind: "every", ms: 10_000 },
  deadlineMs: 3_000,
  ...change,
});

/** For work that waits for its signal and not for the world. */
const IMPATIENT = { patienceMs: 20 };

type Run = (job: Job, context: RunContext) => Promise<void>;

/** A scheduler whose runs are written down: when each began, and how late. */
function bench(run: Run = async () => {}, spreadMs = 0) {
  const clock = createManualClock();
  const zero = clock.monotonicMs();
  const runs: { atMs: number; lagMs: number; name: string }[] = [];
  const events: AgentEvent[] = [];
  const scheduler = createScheduler({
    clock,
    random: () => 0.5,
    seed: "pod-1",
    spreadMs,
    run: clock.tracked(
      async (job, context) => {
        const name = (job as JobOf<"dns">).name;
        runs.push({ atMs: clock.monotonicMs() - zero, lagMs: context.lagMs, name });
        await run(job, context);
      },
      (job) => job.cadence.kind !== "continuous",
    ),
    event: (event) => events.push(event),
  });
  const starts = () => runs.map(({ atMs }) => atMs);
  const told = (kind: AgentEvent["kind"]) => events.filter((event) => event.kind === kind);
  return { clock, scheduler, runs, starts, told };
}

/** Ends when it is told to, and not before. */
function aGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

const untilAborted: Run = (_job, { signal }) =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));

it("runs in equal steps, and tells of each run", async () => {
  const { clock, scheduler, starts, told } = bench();
  scheduler.start(aJob());
  await clock.advance(25_000);

  expect(starts()).toEqual([0, 10_000, 20_000]);
  expect(told("job-finished")[1]).toEqual({
    kind: "job-finished",
    at: START + 10_000,
    job: "dns",
    source: "dns",
    target: "app",
    durationMs: 0,
    lagMs: 0,
    intervalMs: 10_000,
  });
});

it("gives each job and pod a place of its own, the same every time", async () => {
  const { clock, scheduler, starts } = bench(undefined, 5_000);
  const zero = clock.monotonicMs();
  const share = shareOf("app/dns/pod-1");
  scheduler.start(aJob());
  await clock.advance(40_000);

  expect(starts()[0]).toBe(Math.floor(5_000 * share));
  expect(
    starts()
      .slice(1)
      .map((ms) => (zero + ms) % 10_000),
  ).toEqual([Math.floor(10_000 * share), Math.floor(10_000 * share), Math.floor(10_000 * share)]);
  expect(shareOf("app/dns/pod-1")).not.toBe(shareOf("app/dns/pod-2"));
});

it("spreads a thousand pods evenly", () => {
  const tenths = Array.from({ length: 10 }, () => 0);
  for (let pod = 0; pod < 1_000; pod += 1) {
    const tenth = Math.floor(10 * shareOf(`app/preflight/orders-${pod}`));
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  expect(Math.min(...tenths)).toBeGreaterThan(70);
  expect(Math.max(...tenths)).toBeLessThan(130);
});

it("aborts a run at its deadline, and counts it as finished", async () => {
  const { clock, scheduler, told } = bench(untilAborted);
  scheduler.start(aJob());
  await clock.advance(3_000, IMPATIENT);

  expect(told("job-finished")).toMatchObject([{ durationMs: 3_000 }]);
  await scheduler.stopAll();
});

it("skips a turn that finds the job running, and goes on in phase", async () => {
  const { clock, scheduler, starts, told } = bench(() => clock.sleep(12_000));
  scheduler.start(aJob({ deadlineMs: Number.POSITIVE_INFINITY }));
  await clock.advance(20_000);

  expect(starts()).toEqual([0, 20_000]);
  expect(told("job-skipped")).toEqual([
    { kind: "job-skipped", at: START + 10_000, job: "dns", target: "app", why: "still-running" },
  ]);
});

it("tells of turns that a stopped process missed, and runs once", async () => {
  const { clock, scheduler, runs, told } = bench();
  scheduler.start(aJob());
  await clock.advance(1_000);
  await clock.stall(34_000);
  await clock.advance(5_000);

  expect(runs.map(({ atMs, lagMs }) => [atMs, lagMs])).toEqual([
    [0, 0],
    [35_000, 25_000],
    [40_000, 0],
  ]);
  expect(told("job-skipped")).toMatchObject([{ why: "late" }]);
});

it("contains a throw: the run has failed, the next one comes", async () => {
  const { clock, scheduler, starts, told } = bench(async () => {
    throw new RangeError("no such row\nsecret");
  });
  scheduler.start(aJob());
  await clock.advance(10_000);

  expect(starts()).toEqual([0, 10_000]);
  expect(told("job-failed")[0]).toEqual({
    kind: "job-failed",
    at: START,
    job: "dns",
    target: "app",
    errorText: "RangeError: no such row",
    stack: expect.stringContaining("scheduler.test.ts"),
  });
});

it("is not moved by a wall clock that is set", async () => {
  const { clock, scheduler, runs } = bench();
  scheduler.start(aJob());
  await clock.advance(5_000);
  clock.setWall(START + 86_400_000);
  await clock.advance(5_000);
  clock.setWall(START - 86_400_000);
  await clock.advance(10_000);

  expect(runs.map(({ atMs, lagMs }) => [atMs, lagMs])).toEqual([
    [0, 0],
    [10_000, 0],
    [20_000, 0],
  ]);
});

it("keeps the phase when the interval changes: the new one counts from the last run", async () => {
  const { clock, scheduler, starts } = bench();
  scheduler.start(aJob());
  await clock.advance(11_000);
  scheduler.update(aJob({ cadence: { kind: "every", ms: 5_000 } }));
  await clock.advance(10_000);

  expect(starts()).toEqual([0, 10_000, 15_000, 20_000]);
});

it("uses new parameters from the next run on", async () => {
  const { clock, scheduler, runs } = bench();
  scheduler.start(aJob());
  await clock.advance(1_000);
  scheduler.update(aJob({ name: "carts.shop.svc" }));
  await clock.advance(10_000);

  expect(runs.map(({ atMs, name }) => [atMs, name])).toEqual([
    [0, "orders.shop.svc"],
    [10_000, "carts.shop.svc"],
  ]);
});

it("stops: the run is aborted, told of no more, and nothing comes after it", async () => {
  const seen: boolean[] = [];
  const { clock, scheduler, starts, told } = bench(async (job, context) => {
    await untilAborted(job, context);
    seen.push(context.isStopped());
  });
  scheduler.start(aJob());
  await clock.advance(1_000, IMPATIENT);
  await scheduler.stop("app/dns");
  await clock.advance(60_000);

  expect(starts()).toEqual([0]);
  expect(seen).toEqual([true]);
  expect(told("job-finished")).toEqual([]);
  expect(clock.pending).toBe(0);
});

it("leaves a run behind that ignores its signal, after a second", async () => {
  const gate = aGate();
  const { clock, scheduler, told } = bench(() => gate.opened);
  scheduler.start(aJob());
  await clock.advance(1_000, IMPATIENT);
  const stopped = scheduler.stopAll();
  await clock.advance(1_000, IMPATIENT);
  await stopped;
  gate.open();
  await clock.advance(0);

  expect(told("job-finished")).toEqual([]);
});

it("serves a wish once, jittered, and keeps the phase", async () => {
  const { clock, scheduler, starts } = bench();
  const wish = aJob({ urgency: { key: "lost-1", withinMs: 4_000 } });
  scheduler.start(aJob());
  await clock.advance(2_000);
  scheduler.update(wish);
  await clock.advance(3_000);
  scheduler.update(aJob());
  scheduler.update(wish);
  await clock.advance(5_000);

  expect(starts()).toEqual([0, 2_500, 10_000]);
});

it("jitters within the wish's own time when that is short", async () => {
  const { clock, scheduler, starts } = bench();
  scheduler.start(aJob());
  await clock.advance(2_000);
  scheduler.update(aJob({ urgency: { key: "lost-1", withinMs: 100 } }));
  await clock.advance(1_000);

  expect(starts()).toEqual([0, 2_050]);
});

it("drops a wish that was withdrawn in time", async () => {
  const { clock, scheduler, starts } = bench();
  scheduler.start(aJob());
  await clock.advance(2_000);
  scheduler.update(aJob({ urgency: { key: "lost-1", withinMs: 4_000 } }));
  scheduler.update(aJob());
  await clock.advance(3_000);

  expect(starts()).toEqual([0]);
});

it("serves a wish that came during a run as soon as the run has ended", async () => {
  const { clock, scheduler, runs } = bench(() => clock.sleep(3_000));
  scheduler.start(aJob());
  await clock.advance(1_000);
  scheduler.update(aJob({ urgency: { key: "lost-1", withinMs: 100 } }));
  await clock.advance(5_000);

  expect(runs.map(({ atMs, lagMs }) => [atMs, lagMs])).toEqual([
    [0, 0],
    [3_000, 0],
  ]);
});

it("keeps a stream alive with back-off, which grows and starts anew after a long life", async () => {
  const lives = [0, 0, 40_000, 0];
  const { clock, scheduler, starts, told } = bench(() => clock.sleep(lives.shift() ?? 1e9));
  scheduler.start(aJob({ cadence: { kind: "continuous" }, deadlineMs: Number.POSITIVE_INFINITY }));
  await clock.advance(60_000);

  expect(starts()).toEqual([0, 1_000, 2_600, 43_600, 45_200]);
  expect(told("job-finished")[2]).toEqual({
    kind: "job-finished",
    at: START + 42_600,
    job: "dns",
    source: "dns",
    target: "app",
    durationMs: 40_000,
    lagMs: 0,
  });
});

it("starts a stream at once when it is wished for", async () => {
  const lives = [0, 0];
  const { clock, scheduler, starts } = bench(() => clock.sleep(lives.shift() ?? 1e9));
  const stream = aJob({
    cadence: { kind: "continuous" },
    deadlineMs: Number.POSITIVE_INFINITY,
  }) as JobOf<"dns">;
  scheduler.start(stream);
  await clock.advance(1_200);
  scheduler.update({ ...stream, urgency: { key: "epoch-2", withinMs: 0 } });
  await clock.advance(0);

  expect(starts()).toEqual([0, 1_000, 1_200]);
});

it("replaces a stream whose parameters changed, and drops what the old one yields", async () => {
  const dropped: boolean[] = [];
  const { clock, scheduler, runs } = bench(async (job, context) => {
    await untilAborted(job, context);
    dropped.push(context.isStopped());
  });
  const stream = aJob({
    cadence: { kind: "continuous" },
    deadlineMs: Number.POSITIVE_INFINITY,
  }) as JobOf<"dns">;
  scheduler.start(stream);
  await clock.advance(500);
  scheduler.update({ ...stream, name: "carts.shop.svc" });
  await clock.advance(500);

  expect(runs.map(({ atMs, name }) => [atMs, name])).toEqual([
    [0, "orders.shop.svc"],
    [500, "carts.shop.svc"],
  ]);
  expect(dropped).toEqual([true]);
  await scheduler.stopAll();
});

it("changes a stream into a poll", async () => {
  const { clock, scheduler, starts } = bench(async (job, context) => {
    await (job.cadence.kind === "continuous" ? untilAborted(job, context) : undefined);
  });
  scheduler.start(aJob({ cadence: { kind: "continuous" }, deadlineMs: Number.POSITIVE_INFINITY }));
  await clock.advance(1_000);
  scheduler.update(aJob());
  await clock.advance(10_000);

  expect(starts()).toEqual([0, 1_000, 11_000]);
});

it("runs a cron job once in each slot, at its own share of a tenth of the gap", async () => {
  const { clock, scheduler, runs, told } = bench();
  scheduler.start(aJob({ cadence: { kind: "cron", expression: "*/2 * * * *" } }));
  await clock.advance(300_000);
  const delay = Math.floor(12_000 * shareOf("app/dns/pod-1"));

  expect(runs.map(({ atMs, lagMs }) => [atMs, lagMs])).toEqual([
    [120_000 + delay, 0],
    [240_000 + delay, 0],
  ]);
  expect(told("job-finished")).toMatchObject([{ intervalMs: 120_000 }, { intervalMs: 120_000 }]);
});

it("survives a wall clock set forward past a slot: one run, no lag", async () => {
  const { clock, scheduler, runs } = bench();
  scheduler.start(aJob({ cadence: { kind: "cron", expression: "0 3 * * *" } }));
  await clock.advance(60_000);
  clock.setWall(START + 5 * 3_600_000);
  await clock.advance(60_000);

  expect(runs.map(({ atMs, lagMs }) => [atMs, lagMs])).toEqual([[90_000, 0]]);
});

it("survives a wall clock set back: the slot that is next now comes, and no slot at once", async () => {
  const { clock, scheduler, starts } = bench();
  scheduler.start(aJob({ cadence: { kind: "cron", expression: "*/2 * * * *" } }));
  await clock.advance(130_000);
  clock.setWall(START - 86_400_000);
  await clock.advance(150_000);
  const delay = Math.floor(12_000 * shareOf("app/dns/pod-1"));

  expect(starts()).toEqual([120_000 + delay, 250_000 + delay]);
});
