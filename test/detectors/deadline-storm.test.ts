import { describe, expect, it } from "vitest";
import { deadlineStorm } from "../../src/detectors/deadline-storm.ts";
import type { AppScrape } from "../../src/model/facts/app-calls.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ServerCalls } from "../../src/model/facts/server-calls.ts";
import type { DurationBuckets } from "../../src/model/method-counts.ts";
import {
  aBaseline,
  aCallPoll,
  aChannelGroup,
  aProbeHistory,
  aProbeRun,
  aTargetSnapshot,
  factsDeclared,
  factsRead,
  type JudgeOptions,
  judge,
  known,
  NOW,
  SECOND,
  series,
  someAppCalls,
  someChannels,
  someProbes,
  someServices,
} from "../support/snapshot.ts";

const { ratio, minFailed, absoluteRatio, meanAge } = deadlineStorm.limits;

/** What each poll of 10 s adds. */
interface Load {
  readonly polls: number;
  readonly started: number;
  readonly cancelled: number;
  readonly inFlight: number | readonly number[];
  /** Of those in flight, on connections that begin nothing. */
  readonly standing?: number | readonly number[];
  /** Streams that others began and reset, by poll. */
  readonly streams?: { readonly started: number; readonly reset: number };
  /** Of the cancelled, those that the server had sent something on. */
  readonly answered?: number;
  /** Of the cancelled, those that the server's own timer ended; absent = it is not known to end any. */
  readonly timed?: number;
  readonly implementation: ServerCalls["implementation"];
}

/** 10 calls a second, half of them cancelled, each of them 2 s in flight. */
const storm: Load = { polls: 8, started: 100, cancelled: 50, inFlight: 20, implementation: "go" };

function serverCalls(change: Partial<Load> = {}): ServerCalls {
  const load = { ...storm, ...change };
  const { polls, started, cancelled, inFlight, standing, answered, timed, implementation } = load;
  const reset = timed === undefined ? undefined : { started, reset: cancelled - timed };
  const streams = load.streams ?? reset;
  const at = (values: number | readonly number[], index: number) =>
    typeof values === "number" ? values : (values[index] ?? 0);
  return {
    implementation,
    cancelledAs: "failed-calls",
    ...(timed === undefined ? {} : { timesDeadlines: true as const }),
    polls: series(polls, 10 * SECOND, (instant, index) =>
      aCallPoll({
        at: instant,
        started: 1000 + started * index,
        succeeded: 1000 + (started - cancelled) * index,
        failed: cancelled * index,
        cancelled: cancelled * index,
        inFlight: at(inFlight, index),
        standing:
          standing === undefined ? undefined : { streams: at(standing, index), connections: 1 },
        streams: streams && { started: streams.started * index, reset: streams.reset * index },
        answered: answered && answered * index,
        ended: streams && streams.started * index,
      }),
    ),
  };
}

const unary = someServices({ methods: [{ name: "order.OrderService/GetOrder", kind: "unary" }] });
const streaming = someServices({
  methods: [{ name: "order.Feed/Watch", kind: "server-streaming" }],
});

const probe = (ms: number, change: Parameters<typeof aProbeRun>[0] = {}) =>
  someProbes({
    probes: {
      "get-order": aProbeHistory({
        runs: series(3, 30 * SECOND, (at) => aProbeRun({ at, ms, ...change })),
      }),
    },
  });
const fastProbe = probe(5);
const slowProbe = probe(250);

const judged = (
  change: Partial<Load>,
  facts: Partial<Facts> = {},
  options: JudgeOptions<typeof deadlineStorm> = {},
) => judge(deadlineStorm, { serverCalls: serverCalls(change), services: unary, ...facts }, options);

const usual = { cancelRatio: aBaseline({ mean: 0.01 }) };

describe("is silent", () => {
  it.each<[string, Partial<Load>, Partial<Facts>]>([
    ["a healthy server", { cancelled: 0, inFlight: 1 }, {}],
    ["callers that cancel while the server is fast", { inFlight: 1 }, { probes: fastProbe }],
    ["a slow server that nobody gives up", { cancelled: 0 }, { probes: slowProbe }],
    ["plain errors: no second source", { inFlight: 1, cancelled: 100 }, {}],
    [
      "a mean age below the limit, and a tenth",
      { started: 4000, cancelled: 2000, inFlight: 359 },
      {},
    ],
    ["a mean age below the limit, and what few calls may be wrong by", { inFlight: 6.99 }, {}],
    ["callers that nearly all cancel, and soon", { cancelled: 90, inFlight: 1.99 }, {}],
    ["callers that mostly cancel, and soon", { cancelled: 89, inFlight: 2 }, {}],
    [
      "the loser of hedged calls: no deadline ended any",
      { cancelled: 97, timed: 0, inFlight: 3 },
      {},
    ],
    [
      "uploads that end by a cancel after a message, where methods may stream",
      { cancelled: 100, timed: 0, inFlight: 30 },
      { services: streaming },
    ],
    ["streams that stand on connections of their own", { inFlight: 60, standing: 54 }, {}],
    [
      "streams that stand on busy connections, where fewer than half of the calls fail",
      { inFlight: 20, cancelled: 49 },
      { services: streaming },
    ],
    [
      "watches that are renewed each 10 s, half of which were answered",
      { inFlight: 100, cancelled: 100, answered: 50 },
      { services: streaming },
    ],
    [
      "the same, when more of them connect",
      { inFlight: [0, 0, 20, 40, 60, 80, 99, 100], cancelled: 100, answered: 50 },
      { services: streaming },
    ],
    [
      "clients that watch the server's health and come and go, though no method of its own streams",
      { answered: 25 },
      {},
    ],
    [
      "the same, though users leave them within one narrow bucket of the metrics' histogram",
      { answered: 25 },
      { appCalls: scraped({ durations: durations(80, 20, { lower: 200 }) }) },
    ],
    [
      "watches, as the app's metrics tell that they were answered",
      { cancelled: 100, inFlight: 100 },
      { appCalls: scraped({ cancelled: 90, answered: 45 }), services: streaming },
    ],
    [
      "streams beside calls, where fewer than half of the calls failed unanswered",
      { cancelled: 70, answered: 21 },
      { services: streaming },
    ],
    [
      "errors of a slow service: hardly a stream was reset",
      { streams: { started: 90, reset: 2 } },
      {},
    ],
    [
      "a few errors of a slow service that has few calls: none was reset",
      { started: 5, cancelled: 2.25, inFlight: 1, streams: { started: 5, reset: 0 } },
      {},
    ],
    [
      "errors of a slow service, by a sample of the connections",
      { streams: { started: 4, reset: 0.09 } },
      {},
    ],
    [
      "the same, though a probe is slow as well",
      { streams: { started: 100, reset: 0 } },
      { probes: slowProbe },
    ],
    [
      "users that leave at any time: the ages spread",
      { inFlight: [40, 10, 40, 10, 40, 10, 40, 10] },
      {},
    ],
    ["watch streams that end after minutes", { inFlight: 1000 }, { services: streaming }],
    [
      "the same, where methods are not known",
      { inFlight: 1000 },
      { services: someServices({ methods: undefined }) },
    ],
    ["a share below the absolute one, before any is usual", { cancelled: 19 }, {}],
    ["too few calls for a share", { started: 3, cancelled: 1, polls: 7 }, { probes: slowProbe }],
  ])("about %s", (_what, load, facts) => {
    expect(judged(load, facts)).toEqual([]);
  });

  it.each([
    ["by less than half", [0, 0, 22, 24, 26, 28, 30, 32]],
    ["by less than ten", [0, 0, 1, 2, 3, 4, 5, 10]],
    ["in one burst", [0, 0, 0, 0, 0, 0, 0, 50]],
    ["by less than half of it before its end", [0, 0, 20, 20, 20, 20, 34.9, 50]],
  ])("about calls in flight that rise %s", (_what, inFlight) => {
    const limits = { meanAge: meanAge.max };
    expect(judged({ inFlight }, {}, { limits })).toEqual([]);
  });

  it("about streams that open one after the other on connections of their own", () => {
    const opened = [0, 0, 0, 8, 16, 24, 32, 40];
    const young = [0, 0, 0, 8, 8, 8, 8, 8];
    const standing = opened.map((open, index) => open - (young[index] ?? 0));
    expect(judged({ inFlight: opened, standing })).toEqual([]);
    expect(judged({ inFlight: opened })).toHaveLength(1);
  });

  it("about calls in flight that rise as their load does", () => {
    const ramp = (lastStarted: number) => ({
      serverCalls: {
        implementation: "go" as const,
        polls: [0, 100, 200, 300, 400, 500, 600, 600 + lastStarted].map((hundreds, index) =>
          aCallPoll({
            at: NOW - (7 - index) * 10 * SECOND,
            started: 20 * hundreds,
            failed: 10 * hundreds,
            cancelled: 10 * hundreds,
            inFlight: [20, 20, 200, 240, 280, 320, 360, 400][index],
          }),
        ),
      },
      services: streaming,
    });
    expect(judge(deadlineStorm, ramp(134))).toEqual([]);
    expect(judge(deadlineStorm, ramp(133))).toHaveLength(1);
  });

  it.each([
    [
      "its share is not three times the usual",
      { cancelled: 14 },
      { cancelRatio: aBaseline({ mean: 0.05 }) },
    ],
    [
      "its share is below the limit",
      { cancelled: 4, started: 100 },
      { cancelRatio: aBaseline({ mean: 0.001 }) },
    ],
    ["too few calls are cancelled", { started: 30, cancelled: 3, inFlight: 6 }, usual],
  ])("where %s", (_when, load, baselines) => {
    expect(judged(load, {}, { usual: baselines })).toEqual([]);
  });
});

describe("does not judge", () => {
  it("without any counter of calls", () => {
    expect(judge(deadlineStorm, { probes: slowProbe })).toBeUndefined();
  });

  it("a server on which no call ended", () => {
    expect(judged({ started: 0, cancelled: 0, inFlight: 0 })).toBeUndefined();
  });

  it("before there are polls enough, unless 30 calls ended", () => {
    expect(judged({ polls: 1 })).toBeUndefined();
    expect(judged({ polls: 2, started: 9, cancelled: 0 })).toBeUndefined();
    expect(judged({ polls: 2, started: 30, cancelled: 0 })).toEqual([]);
  });

  it("a rate whose second source our own timing blinds", () => {
    expect(judged({}, { probes: slowProbe }, { timingTrusted: false })).toBeUndefined();
  });

  it("failed calls of a slow server, by the age of calls whose connections are gone before", () => {
    const gone = { streams: { started: 2, reset: 0 } };
    expect(judged(gone)).toBeUndefined();
    expect(judged({ ...gone, inFlight: [0, 0, 1, 3, 5, 7, 9, 11] })).toHaveLength(1);
    expect(judged(gone, { probes: fastProbe })).toEqual([]);
    expect(judged(gone, { probes: slowProbe })).toHaveLength(1);
  });

  describe("idle watches that are renewed, which look like calls that wait", () => {
    const watches = { inFlight: 51, cancelled: 100 };
    const facts = { services: streaming };

    it("before their age is known to be usual, and it is no longer than any deadline", () => {
      expect(judged(watches, facts)).toBeUndefined();
      expect(judged({ ...watches, inFlight: 600 }, facts)).toBeUndefined();
      expect(judged({ ...watches, inFlight: 601 }, facts)).toEqual([]);
      const usually = { usual: { meanAge: aBaseline({ mean: 5000 }) } };
      expect(judged(watches, facts, usually)).toEqual([]);
    });

    it("also when more and more of them connect", () => {
      const connecting = { ...watches, inFlight: [0, 0, 1, 30, 60, 70, 80, 90] };
      expect(judged(connecting, facts)).toBeUndefined();
    });

    it.each([
      [29, undefined],
      [30, ["in-flight"]],
    ])("unless %i calls ended well before more and more waited", (good, secondSource) => {
      const inFlight = [0, 0, 1, 30, 60, 70, 80, 90];
      const { polls, ...rest } = serverCalls({ ...watches, inFlight });
      const ended = polls.map((poll, index) => {
        const more = index < 2 ? 0 : good;
        return { ...poll, started: poll.started + more, succeeded: poll.succeeded + more };
      });
      const found = judge(deadlineStorm, { serverCalls: { ...rest, polls: ended }, ...facts });
      expect(found?.[0]?.evidence["secondSource"]).toEqual(secondSource);
    });

    it("unless some polls meet none of them, as it is with rare calls", () => {
      const every = (rest: readonly number[]) => ({ inFlight: [80, 80, ...rest], cancelled: 100 });
      const met = (rest: readonly number[]) =>
        judged(every(rest), facts, { limits: { window: 70_000 } });
      expect(met([80, 80, 80, 80, 0, 0])).toBeUndefined();
      expect(met([80, 80, 80, 0, 0, 0])).toEqual([]);
    });

    it("unless a probe or the app's metrics can tell", () => {
      expect(judged(watches, { ...facts, probes: fastProbe })).toEqual([]);
      expect(judged(watches, { ...facts, probes: slowProbe })).toHaveLength(1);
      expect(judged(watches, { ...facts, appCalls: scraped({}) })).toEqual([]);
    });
  });

  it("by metrics alone, without histogram or probe", () => {
    expect(judge(deadlineStorm, { appCalls: scraped({ expired: 50 }) })).toBeUndefined();
  });
});

describe("speaks", () => {
  it("when half of the calls are cancelled and all in flight wait as long", () => {
    expect(judged({})).toEqual([
      {
        subject: {},
        severity: "warning",
        witnesses: ["channelz"],
        summary: "300 of 600 calls (50 %) were cancelled or ran past their deadline in 60 s",
        evidence: {
          cancelled: 300,
          calls: 600,
          ratio: 0.5,
          windowSeconds: 60,
          inFlight: 20,
          meanAgeMs: 2000,
          meanAgeCv: 0,
          secondSource: ["mean-age"],
          implementation: "go",
          counted: "calls that ended with any status but OK",
        },
      },
    ]);
  });

  it.each<[ServerCalls["cancelledAs"], string]>([
    ["failed-streams", "streams that were reset"],
    ["streams-beyond-calls", "streams that were reset, without refused methods"],
    [undefined, "calls that were cancelled, as near as the server tells"],
  ])("and says what was counted: %s", (cancelledAs, counted) => {
    const { cancelledAs: _go, ...older } = serverCalls();
    const told = { ...older, ...(cancelledAs === undefined ? {} : { cancelledAs }) };
    expect(judge(deadlineStorm, { serverCalls: told })?.[0]?.evidence["counted"]).toBe(counted);
  });

  it.each<[string, Partial<Load>, Partial<Facts>, readonly string[]]>([
    [
      "the mean age is at its limit, a tenth less",
      { started: 4000, cancelled: 2000, inFlight: 360 },
      {},
      ["mean-age"],
    ],
    [
      "few calls wait for about as long: two standard errors less",
      { started: 100, inFlight: 7.4 },
      {},
      ["mean-age"],
    ],
    [
      "few calls are in flight by chance, more at one poll and fewer at the next",
      { started: 50, cancelled: 50, inFlight: [3, 7, 5, 6, 2, 7, 9, 4] },
      {},
      ["mean-age"],
    ],
    ["calls wait beside streams that stand", { inFlight: 60, standing: 51 }, {}, ["mean-age"]],
    ["one in twenty of them was reset", { streams: { started: 90, reset: 2.5 } }, {}, ["mean-age"]],
    [
      "one in twenty was reset, by a sample of the connections",
      { streams: { started: 4, reset: 0.1 } },
      {},
      ["mean-age"],
    ],
    [
      "calls wait for 5 s, though methods may stream",
      { inFlight: 50, cancelled: 100 },
      { services: streaming },
      ["mean-age"],
    ],
    [
      "calls wait beside streams that were answered",
      { cancelled: 95, answered: 45 },
      { services: streaming },
      ["mean-age"],
    ],
    ["most of them were not answered", { answered: 24.9 }, {}, ["mean-age"]],
    ["unary calls may be older", { inFlight: 1000 }, {}, ["mean-age"]],
    [
      "nearly all calls fail, a fifth of the limit old",
      { cancelled: 90, inFlight: 2 },
      {},
      ["mean-age"],
    ],
    ["the absolute share is met exactly", { cancelled: 20 }, {}, ["mean-age"]],
    ["ever more are in flight", { inFlight: [0, 0, 1, 3, 5, 7, 9, 11] }, {}, ["in-flight"]],
    ["a unary probe is slow as well", { inFlight: 1 }, { probes: slowProbe }, ["probe"]],
    [
      "a unary probe runs past its deadline",
      { inFlight: 1 },
      { probes: probe(1, { outcome: "failed", reason: "deadline" }) },
      ["probe"],
    ],
  ])("when %s", (_when, load, facts, secondSource) => {
    expect(judged(load, facts)?.map(({ evidence }) => evidence["secondSource"])).toEqual([
      secondSource,
    ]);
  });

  it.each([
    [
      "at the relative share",
      { cancelled: ratio.default * 100 },
      { cancelRatio: aBaseline({ mean: 0.0166 }) },
    ],
    ["at the least number", { started: 40, cancelled: 3.4, inFlight: 8 }, usual],
  ])("against what is usual, %s", (_when, load, baselines) => {
    const [found] = judged(load, {}, { usual: baselines }) ?? [];
    expect(found?.evidence["baselineRatio"]).toBe(baselines.cancelRatio.mean);
    expect(found?.evidence["cancelled"]).toBeGreaterThanOrEqual(minFailed.default);
    expect(judged(load)).toEqual([]);
  });

  it.each([
    ["the share", { cancelled: 5 }, 0.01, 1],
    ["one less than the share", { started: 101, cancelled: 5 }, 0.01, 0],
    ["the least number", { started: 60, cancelled: 4, polls: 6 }, 0.01, 1],
    ["three times the usual", { cancelled: 18 }, 0.06, 1],
    ["more than a third of it is usual", { cancelled: 18 }, 0.0601, 0],
  ])("exactly at a limit: %s", (_what, load, mean, count) => {
    const limits = { window: 50_000 };
    const found = judged(load, {}, { limits, usual: { cancelRatio: aBaseline({ mean }) } });
    expect(found).toHaveLength(count);
  });

  it("of no more calls cancelled than there were, though some had begun before", () => {
    const [found] = judged({ started: 100, cancelled: 101 }) ?? [];
    expect(found?.evidence).toMatchObject({ cancelled: 606, calls: 606, ratio: 1 });
  });

  it.each<[string, Partial<Load>, Partial<Facts>]>([
    [
      "short deadlines that the server's timer ends too",
      { cancelled: 97, timed: 0.2, inFlight: 3 },
      {},
    ],
    ["short deadlines where that timer is not known", { cancelled: 97, inFlight: 3 }, {}],
    [
      "calls that wait, where methods may stream",
      { cancelled: 100, timed: 1, inFlight: 30 },
      { services: streaming },
    ],
    ["calls that wait for long, whoever ends them", { cancelled: 97, timed: 0, inFlight: 20 }, {}],
    [
      "connections that were hardly read: the timer is not known",
      { cancelled: 97, timed: 0, inFlight: 3, streams: { started: 80, reset: 80 } },
      {},
    ],
  ])("of %s", (_what, change, facts) => {
    expect(judged(change, facts)?.map(({ severity }) => severity)).toEqual(["warning"]);
  });

  it("of exactly 20 calls, and not of 19", () => {
    const few = (started: number) =>
      judged(
        { polls: 2, started, cancelled: 9, inFlight: 20 },
        { probes: slowProbe },
        { limits: { window: 10_000 } },
      );
    expect([few(20)?.length, few(19)?.length]).toEqual([1, 0]);
  });

  it("of in flight that rise by exactly half, and of exactly ten more", () => {
    const rising = (first: number, last: number) =>
      judged({ inFlight: [0, 0, first, 50, 1, 50, 25, last] })?.map(
        ({ evidence }) => evidence["secondSource"],
      );
    expect(rising(20, 30)).toEqual([["in-flight"]]);
    expect(rising(20, 29.9)).toEqual([]);
  });

  it("when the mean age is three times the usual one, below the limit", () => {
    const usually = { meanAge: aBaseline({ mean: 200 }) };
    expect(judged({ inFlight: 6 }, {}, { usual: usually })).toHaveLength(1);
    expect(judged({ inFlight: 5.9 }, {}, { usual: usually })).toEqual([]);
  });

  it.each<[string, Partial<Facts>, number, number]>([
    ["nothing streams: at its limit, whatever is usual", { services: unary }, 1000, 1],
    [
      "streams stand as usual, and calls that fail wait no longer",
      { services: streaming },
      3890,
      0,
    ],
    ["streams stand as usual, and calls wait beside them", { services: streaming }, 3900, 1],
    ["the methods are not known", { services: someServices({ methods: undefined }) }, 3890, 0],
  ])("of a mean age of 3 s that is usual, where %s", (_where, facts, inFlight, symptoms) => {
    const usually = { meanAge: aBaseline({ mean: 3000 }) };
    expect(
      judged({ started: 10_000, cancelled: 5000, inFlight }, facts, { usual: usually }),
    ).toHaveLength(symptoms);
  });

  it("from the first second: 20 calls in the first minute, all cancelled", () => {
    const load = { polls: 7, started: 4, cancelled: 4, inFlight: 1 };
    expect(judged(load)?.map(({ evidence }) => evidence["calls"])).toEqual([24]);
  });

  it("at three calls a minute, when ten of the last thirty failed", () => {
    // A call every 20 s, 2 s in flight: each tenth of the polls meets one.
    const rare = (polls: number) => ({
      implementation: "go" as const,
      polls: series(polls, 10 * SECOND, (at, index) => {
        const calls = Math.floor(index / 2);
        return aCallPoll({
          at,
          started: calls,
          failed: calls,
          cancelled: calls,
          inFlight: index % 10 === 0 ? 1 : 0,
        });
      }),
    });
    const facts = { services: unary };
    expect(judge(deadlineStorm, { ...facts, serverCalls: rare(20) })).toEqual([]);
    expect(judge(deadlineStorm, { ...facts, serverCalls: rare(21) })).toEqual([
      expect.objectContaining({
        summary: "10 of 10 calls (100 %) were cancelled or ran past their deadline in 3 min",
        evidence: expect.objectContaining({ secondSource: ["mean-age"], windowSeconds: 200 }),
      }),
    ]);
  });
});

describe("is critical", () => {
  const severity = (facts: Partial<Facts>, load: Partial<Load> = {}) =>
    judged(load, facts)?.map((found) => [found.severity, found.witnesses, found.evidence["where"]]);

  it("when a probe is slow: it is the handler", () => {
    expect(severity({ probes: slowProbe })).toEqual([
      ["critical", ["channelz", "probe"], "handler"],
    ]);
    const [found] = judged({}, { probes: slowProbe }) ?? [];
    expect(found?.evidence).toMatchObject({ probe: "get-order", probeMs: 250, deadlineMs: 500 });
  });

  it("not when a probe is fast: it is outside of the server", () => {
    expect(severity({ probes: fastProbe })).toEqual([["warning", ["channelz"], "outside"]]);
  });

  it.each([
    ["is not unary", { isUnary: false }],
    ["has an unknown shape", { isUnary: undefined }],
    ["ran twice only", { runs: [aProbeRun({ ms: 400 }), aProbeRun({ ms: 400 })] }],
    [
      "ran while we were slow ourselves",
      { runs: series(3, 1000, (at) => aProbeRun({ at, ms: 400, isSuspect: true })) },
    ],
  ])("not by a probe that %s", (_what, change) => {
    const probes = someProbes({
      probes: { p: aProbeHistory({ runs: slowProbe.probes["get-order"]?.runs, ...change }) },
    });
    expect(severity({ probes })).toEqual([["warning", ["channelz"], undefined]]);
  });

  it("when metrics count expired calls in a like share", () => {
    expect(severity({ appCalls: scraped({ expired: 25 }) })).toEqual([
      ["critical", ["channelz", "metrics"], undefined],
    ]);
    expect(severity({ appCalls: scraped({ expired: 24 }) })).toEqual([
      ["warning", ["channelz"], undefined],
    ]);
  });

  it("also when metrics alone are the second source, while timing is not trusted", () => {
    const facts = { appCalls: scraped({ expired: 25 }) };
    expect(judged({ inFlight: 1 }, facts, { timingTrusted: false })).toHaveLength(1);
  });

  it("when metrics count no expired call, but all cancelled ones ended at one age", () => {
    const appCalls = scraped({ durations: durations(80, 20, { lower: 250 / 1.5 }) });
    const found = judged({ inFlight: 1 }, { appCalls });
    expect(found?.map(({ evidence }) => evidence["secondSource"])).toEqual([["metrics"]]);
  });

  it("not when that age is a bucket as wide as users' patience is", () => {
    const appCalls = scraped({ durations: durations(80, 20, { lower: 166 }) });
    expect(judged({ inFlight: 1 }, { appCalls })).toEqual([]);
  });

  it("by codes that metrics count beside streams which were answered", () => {
    const beside = (answered: number) =>
      judged({ inFlight: 1 }, { appCalls: scraped({ expired: 25, cancelled: 10, answered }) });
    expect(beside(17)).toHaveLength(1);
    expect(beside(18)).toEqual([]);
  });

  it("by what is usual no more than before: a new use of streams is none", () => {
    const usually = { cancelRatio: aBaseline({ mean: 0 }), meanAge: aBaseline({ mean: 50 }) };
    const facts = { services: streaming };
    expect(judged({ answered: 25 }, facts, { usual: usually })).toEqual([]);
    expect(judged({ answered: 24.9 }, facts, { usual: usually })).toHaveLength(1);
  });

  it("and metrics that say OK are no veto", () => {
    expect(severity({ appCalls: scraped({}) })).toEqual([["warning", ["channelz"], undefined]]);
  });

  it("when a dependency's calls fail alike: it is there", () => {
    const down = dependency(60, 30);
    expect(severity({ channels: down, probes: slowProbe })).toEqual([
      ["critical", ["channelz", "probe", "channelz-client"], "dependency"],
    ]);
    const [found] = judged({}, { channels: down }) ?? [];
    expect(found?.summary).toBe(
      "300 of 600 calls (50 %) were cancelled or ran past their deadline in 60 s; its calls fail there alike, so look at inventory:50051",
    );
    expect(found?.evidence["dependency"]).toBe("inventory:50051");
  });

  it.each([
    ["fails at another share", dependency(60, 14)],
    ["has always failed so", dependency(60, 30, 30)],
    ["has too few calls", dependency(4, 4)],
  ])("not by a dependency that %s", (_what, channels) => {
    expect(severity({ channels })).toEqual([["warning", ["channelz"], undefined]]);
  });
});

describe("by metrics alone", () => {
  const byMetrics = (appCalls: Facts["appCalls"], facts: Partial<Facts> = {}) =>
    judge(deadlineStorm, { appCalls, ...facts });
  const at = (bucket: number, others: number) => ({
    expired: 50,
    durations: durations(bucket, others),
  });

  it.each([
    ["users cancel at any age", scraped(at(79, 21))],
    [
      "hedging cancels its losers at once",
      scraped({ expired: 50, durations: durations(0, 0, { younger: 100 }) }),
    ],
    [
      "users leave within one wide bucket, and hardly any expired",
      scraped({ cancelled: 48.8, expired: 1.2, durations: durations(100, 0) }),
    ],
    [
      "watches end by their deadline, all of which were answered",
      scraped({ expired: 50, answered: 25, durations: durations(100, 0) }),
    ],
    ["too few were cancelled to tell", scraped({ expired: 50, durations: durations(9, 0) })],
    ["four of five is not quite reached", scraped({ expired: 50, durations: durations(7, 3) })],
    [
      "watches end at an age beyond every bound",
      scraped({ expired: 50, durations: durations(0, 100) }),
    ],
  ])("is silent where %s", (_when, appCalls) => {
    expect(byMetrics(appCalls)).toEqual([]);
  });

  it("warns where four of five end at one age", () => {
    expect(byMetrics(scraped(at(80, 20)))).toEqual([
      {
        subject: {},
        severity: "warning",
        witnesses: ["metrics"],
        summary: "200 of 400 calls (50 %) were cancelled or ran past their deadline in 60 s",
        evidence: {
          cancelled: 200,
          calls: 400,
          ratio: 0.5,
          windowSeconds: 60,
          secondSource: ["metrics"],
          counted: "calls that ended CANCELLED or DEADLINE_EXCEEDED",
        },
      },
    ]);
  });

  it.each([
    ["four of five", 160, 1],
    ["fewer than four of five", 159, 0],
  ])("tells, where the histogram has no codes, of %s that are proven", (_what, count, symptoms) => {
    // 200 calls were cancelled in the window.
    const appCalls = scraped({ expired: 50, durations: durations(count, 0), isProven: true });
    expect(byMetrics(appCalls)).toHaveLength(symptoms);
  });

  it.each<[string, number, Parameters<typeof atBound>[0], number]>([
    ["nearly all are on both sides of a bound", 65, { expired: 50 }, 1],
    ["not nearly all are", 64, { expired: 50 }, 0],
    ["a twentieth expired at the server", 65, { expired: 1.25, cancelled: 48.75 }, 1],
    ["fewer expired at the server", 65, { expired: 1.2, cancelled: 48.8 }, 0],
  ])("knows a deadline that is a bound of the buckets: %s", (_what, above, ends, symptoms) => {
    expect(byMetrics(atBound(ends, [30, above, 70 - above, 0]))).toHaveLength(symptoms);
  });

  it("does not take ages beyond the last bound for a neighbour", () => {
    expect(byMetrics(atBound({ expired: 50 }, [0, 0, 30, 70]))).toEqual([]);
  });

  it("can tell from ten cancelled calls on", () => {
    expect(byMetrics(scraped({ expired: 50, durations: durations(8, 2) }))).toHaveLength(1);
  });

  it("is critical where a probe agrees", () => {
    const found = byMetrics(scraped(at(80, 20)), { probes: slowProbe });
    expect(found?.map((one) => [one.severity, one.witnesses])).toEqual([
      ["critical", ["metrics", "probe"]],
    ]);
  });
});

describe("where a tenth of the usual calls start, though methods may stream", () => {
  /** Usually 50 calls start a second, of which one is cancelled. */
  const rare = (load: Partial<Load>) =>
    judged(
      load,
      { services: streaming },
      {
        usual: {
          cancelRatio: aBaseline({ mean: 0.02 }),
          cancelledPerMinute: aBaseline({ mean: 60 }),
          inFlight: aBaseline({ mean: 30 }),
          meanAge: aBaseline({ mean: 600 }),
        },
      },
    );

  it.each([
    ["as many are cancelled as usual", { started: 50, cancelled: 10, inFlight: 30 }],
    ["the others end well but for a tenth", { started: 50, cancelled: 16.3, inFlight: 55 }],
    [
      "nearly nine of ten are, and no more than usual",
      { started: 10, cancelled: 8.9, inFlight: 20 },
    ],
  ])("is silent where %s", (_when, load) => {
    expect(rare(load)).toEqual([]);
  });

  it.each([
    ["half as many as usual are cancelled, and no call ends well", 5, 5, 10],
    ["as many as usual are, and no call ends well", 10, 10, 20],
    ["nine of ten are", 10, 9, 20],
    ["a fifth of the others is as well", 50, 19, 55],
    ["a tenth of the others is, beyond chance", 50, 16.4, 55],
  ])("is told where %s", (_when, started, cancelled, inFlight) => {
    expect(rare({ started, cancelled, inFlight })).toMatchObject([
      { severity: "warning", evidence: { secondSource: ["mean-age"] } },
    ]);
  });
});

describe("at night, when fewer calls start beside watches that are renewed", () => {
  /** 15 watches a minute are cancelled and opened anew, and hardly anything else starts. */
  const night = (inFlight: number, usualAgeMs: number, perMinute: number, services = streaming) =>
    judged(
      { started: 10, cancelled: 2.5, inFlight },
      { services },
      {
        usual: {
          cancelRatio: aBaseline({ mean: 0.05 }),
          cancelledPerMinute: aBaseline({ mean: perMinute }),
          inFlight: aBaseline({ mean: 20 }),
          meanAge: aBaseline({ mean: usualAgeMs }),
        },
      },
    );

  it.each([
    ["as many are in flight as usual, and are cancelled a minute", 20, 4000, 15],
    ["hardly twice as many are", 39, 8000, 7.6],
    ["they are older than any deadline", 100, 20_000, 5],
  ])("is silent where %s", (_when, inFlight, usualAgeMs, perMinute) => {
    expect(night(inFlight, usualAgeMs, perMinute)).toEqual([]);
  });

  it("is silent where somewhat more watches than usual are renewed", () => {
    const load = { started: 12, cancelled: 17 / 6, inFlight: 60 };
    const baselines = {
      cancelRatio: aBaseline({ mean: 0.05 }),
      cancelledPerMinute: aBaseline({ mean: 15 }),
      inFlight: aBaseline({ mean: 60 }),
      meanAge: aBaseline({ mean: 12_000 }),
    };
    expect(judged(load, { services: streaming }, { usual: baselines })).toEqual([]);
  });

  it.each([
    ["twice as many are in flight", 40, 15, streaming],
    ["twice as many are cancelled a minute", 20, 7.5, streaming],
    ["no method streams", 20, 15, unary],
  ])("is told where %s", (_when, inFlight, perMinute, services) => {
    expect(night(inFlight, 4000, perMinute, services)).toMatchObject([
      { evidence: { secondSource: ["mean-age"] } },
    ]);
  });
});

it("learns what is usual from the newest poll", () => {
  const target = aTargetSnapshot({ facts: { serverCalls: known(serverCalls()) } });
  expect(deadlineStorm.samples(target)).toEqual({
    cancelRatio: { value: 0.5, weight: 100 },
    cancelledPerMinute: { value: 300, weight: 100 },
    inFlight: { value: 20, weight: 100 },
    meanAge: { value: 2000, weight: 100 },
  });
  const idle = known(serverCalls({ started: 0, cancelled: 0 }));
  expect(deadlineStorm.samples(aTargetSnapshot({ facts: { serverCalls: idle } }))).toEqual({});
});

it("explains itself by what keeps calls waiting, here or at the dependency that it names", () => {
  const codes = (list: readonly { readonly code: string }[]) => list.map(({ code }) => code);
  expect(codes(deadlineStorm.causes)).toEqual(["app-frozen", "stream-exhaustion"]);
  expect(codes(deadlineStorm.dependencyCauses)).toContain("dns-stale");
  expect(codes(deadlineStorm.dependencyCauses)).toContain("connection-refused");
});

it("says what its absolute share is", () => {
  expect(absoluteRatio.default).toBe(0.2);
});

/** 100 calls in each scrape of 15 s, `expired` of them past their deadline. */
function scraped({
  expired = 0,
  cancelled = 0,
  answered,
  durations: buckets,
  isProven = false,
}: {
  readonly expired?: number;
  readonly cancelled?: number;
  /** Of both. */
  readonly answered?: number;
  readonly durations?: DurationBuckets;
  /** By a histogram without codes. */
  readonly isProven?: boolean;
}): Facts["appCalls"] {
  const key = isProven ? "provenDurations" : "cancelledDurations";
  return someAppCalls({
    scrapes: series(6, 15 * SECOND, (at, index): AppScrape => {
      const counts = {
        OK: (100 - expired - cancelled) * index,
        DEADLINE_EXCEEDED: expired * index,
        CANCELLED: cancelled * index,
      };
      const isLast = index === 5;
      return {
        at,
        handledByCode: counts,
        ...(answered === undefined ? {} : { answered: { CANCELLED: answered * index } }),
        ...(buckets === undefined
          ? {}
          : { [key]: isLast ? buckets : { ...buckets, counts: [0, 0, 0, 0] } }),
      };
    }),
  });
}

/** Cancelled calls by age: 50 to 100 ms, to 250 ms, to 500 ms, and older; of 100 that can be timed. */
function atBound(
  ends: { readonly expired: number; readonly cancelled?: number },
  [low, middle, high, older]: readonly [number, number, number, number],
) {
  const sums = [0, low, low + middle, low + middle + high, low + middle + high + older];
  return scraped({ ...ends, durations: { upperMs: [50, 100, 250, 500], counts: sums } });
}

/** Cancelled calls by age: between `lower` and 250 ms, older, and younger. */
function durations(
  inBucket: number,
  older: number,
  { lower = 50, younger = 0 }: { readonly lower?: number; readonly younger?: number } = {},
): DurationBuckets {
  return {
    upperMs: [5, lower, 250],
    counts: [younger, younger, younger + inBucket, younger + inBucket + older],
  };
}

/** The app's channel to its dependency: calls in the last 90 s, and failures before that. */
function dependency(calls: number, failed: number, failedBefore = 0): Facts["channels"] {
  const group = (ok: number, bad: number) =>
    aChannelGroup({ callsStarted: ok + bad, callsSucceeded: ok, callsFailed: bad });
  const poll = (ageMs: number, ok: number, bad: number) => ({
    at: NOW - ageMs,
    upstreams: { "inventory:50051": group(ok, bad), "payments:50051": group(ok + bad, 0) },
  });
  return someChannels({
    polls: [
      poll(200_000, 0, 0),
      poll(100_000, 60 - failedBefore, failedBefore),
      poll(0, 60 - failedBefore + calls - failed, failedBefore + failed),
    ],
  });
}

it("reads what it declares, and nothing else", () => {
  expect(factsRead(deadlineStorm)).toEqual(factsDeclared(deadlineStorm));
});
