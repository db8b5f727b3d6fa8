import { describe, expect, it } from "vitest";
import { errorBurst } from "../../src/detectors/error-burst.ts";
import type { AppScrape } from "../../src/model/facts/app-calls.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ServerCalls } from "../../src/model/facts/server-calls.ts";
import type { StatusName } from "../../src/model/status.ts";
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
} from "../support/snapshot.ts";

const { ratio, minFailed, absoluteRatio, critical } = errorBurst.limits;

/** What each scrape of 15 s adds. */
const metrics = (added: ByCode, more: More = {}) =>
  someAppCalls({
    scrapes: series(more.scrapes ?? 8, 15 * SECOND, (at, index): AppScrape => {
      const times = (counts: ByCode) =>
        Object.fromEntries(Object.entries(counts).map(([code, count]) => [code, count * index]));
      return {
        at,
        handledByCode: times(added),
        answered: times(more.answered ?? {}),
        unregistered: (more.unregistered ?? 0) * index,
      };
    }),
  });

type ByCode = Readonly<Partial<Record<StatusName, number>>>;

interface More {
  readonly scrapes?: number;
  /** Of those that are added. */
  readonly answered?: ByCode;
  readonly unregistered?: number;
}

/** Calls that end well, then so many errors at once, errors after it, and good calls after it. */
const blip = (errors: number, errorsAfter: number, goodAfter: number) =>
  someAppCalls({
    scrapes: [0, 0, 1, 2].map((step, index): AppScrape => {
      const counts = [
        { OK: 0, INTERNAL: 0 },
        { OK: 2, INTERNAL: errors },
        { OK: 2 + goodAfter, INTERNAL: errors + errorsAfter },
      ][step] ?? { OK: 0, INTERNAL: 0 };
      return { at: NOW - (3 - index) * 15 * SECOND, handledByCode: counts };
    }),
  });

interface Load {
  readonly finished: number;
  readonly failed: number;
  readonly reset?: number;
  /** Of those that finished, the ones whose end no connection lived to count. */
  readonly left?: number;
  /** Of those, the streams on which more had been said than a request. */
  readonly talked?: number;
  readonly polls?: number;
}

/** What each poll of 10 s adds, on an implementation that tells resets from errors. */
const channelz = ({
  finished,
  failed,
  reset = 0,
  left = 0,
  talked,
  polls = 12,
}: Load): ServerCalls => ({
  implementation: "go",
  polls: series(polls, 10 * SECOND, (at, index) =>
    aCallPoll({
      at,
      started: finished * index,
      succeeded: (finished - failed) * index,
      failed: failed * index,
      cancelled: failed * index,
      streams: { started: finished * index, reset: reset * index },
      ended: (finished - left) * index,
      left: talked && talked * index,
    }),
  ),
});

/** The same on one where a call that goes with its connection never fails. */
const javaCalls = ({ finished, failed }: Load): ServerCalls => ({
  implementation: "java",
  failsByErrorOnly: true,
  polls: series(12, 10 * SECOND, (at, index) =>
    aCallPoll({ at, succeeded: (finished - failed) * index, failed: failed * index }),
  ),
});

/** One good call in each poll of 10 s, and the failed ones of each, the last of them newest. */
const quiet = (...failed: readonly number[]): ServerCalls => ({
  implementation: "c-core",
  polls: series(8 + failed.length, 10 * SECOND, (at, index) => {
    const bad = failed.slice(0, Math.max(0, index - 7)).reduce((sum, value) => sum + value, 0);
    const started = index + bad;
    return aCallPoll({
      at,
      started,
      succeeded: index,
      failed: bad,
      streams: { started, reset: 0 },
      ended: started,
    });
  }),
});

const judged = (facts: Partial<Facts>, options: JudgeOptions<typeof errorBurst> = {}) =>
  judge(errorBurst, facts, options);

const probe = (...statuses: readonly StatusName[]) =>
  someProbes({
    probes: {
      "get-order": aProbeHistory({
        runs: statuses.map((status) => aProbeRun({ outcome: "failed", status })),
      }),
    },
  });

describe("is silent about", () => {
  it.each<[string, Partial<Facts>]>([
    [
      "a healthy server",
      { appCalls: metrics({ OK: 100 }), serverCalls: channelz({ finished: 100, failed: 0 }) },
    ],
    [
      "callers that ask for what is not there, though most calls fail",
      {
        appCalls: metrics({ OK: 5, NOT_FOUND: 90, INVALID_ARGUMENT: 5 }),
        serverCalls: channelz({ finished: 100, failed: 95 }),
      },
    ],
    ["users that cancel", { appCalls: metrics({ OK: 50, CANCELLED: 50 }) }],
    ["deadlines: another code", { appCalls: metrics({ OK: 50, DEADLINE_EXCEEDED: 50 }) }],
    ["a share just below the absolute one", { appCalls: metrics({ OK: 81, INTERNAL: 19 }) }],
    [
      "failed calls of unknown codes, half of all",
      { serverCalls: channelz({ finished: 100, failed: 50 }) },
    ],
    [
      "streams that clients cancel, though every call fails",
      { serverCalls: channelz({ finished: 100, failed: 100, reset: 95 }) },
    ],
    [
      "clients that die with streams open: their ends went with their connections",
      { serverCalls: channelz({ finished: 33, failed: 30, left: 30 }) },
    ],
    [
      "clients that ask what a server has: a registered method that is not implemented",
      { appCalls: metrics({ OK: 10, UNIMPLEMENTED: 20 }, { unregistered: 10 }) },
    ],
    [
      "a load balancer that asks each two seconds for what nobody registered",
      { appCalls: metrics({ OK: 1, UNIMPLEMENTED: 8 }, { unregistered: 8 }) },
    ],
    [
      "streams that are ended to be opened anew, all of them, though channelz counts errors",
      {
        appCalls: metrics({ UNAVAILABLE: 10 }, { answered: { UNAVAILABLE: 10 } }),
        serverCalls: channelz({ finished: 100, failed: 100 }),
      },
    ],
    [
      "streams that had their answers before they ended with their connections",
      { appCalls: metrics({ OK: 2, UNAVAILABLE: 10 }, { answered: { UNAVAILABLE: 10 } }) },
    ],
    [
      "calls that went with their connections: an error of none of them is counted",
      {
        appCalls: metrics({ OK: 30, UNAVAILABLE: 30 }),
        serverCalls: javaCalls({ finished: 20, failed: 9.9 }),
      },
    ],
    [
      "deadlines that callers reset their calls by",
      {
        appCalls: metrics({ DEADLINE_EXCEEDED: 100 }),
        serverCalls: channelz({ finished: 100, failed: 100, reset: 11 }),
      },
    ],
    ["errors of one scrape's time that are over", { appCalls: blip(13, 0, 1) }],
    [
      "nine errors in the newest calls",
      { appCalls: metrics({ OK: 21, INTERNAL: 9 }, { scrapes: 2 }) },
    ],
  ])("%s", (_what, facts) => {
    expect(judged(facts)).toEqual([]);
  });

  it.each([
    ["it is not three times the usual", { INTERNAL: 14, OK: 86 }, 0.05],
    ["it is below the limit", { INTERNAL: 4, OK: 96 }, 0.001],
    ["there are too few errors", { INTERNAL: 4, OK: 40 }, 0.001],
  ])("a share where %s", (_when, added, mean) => {
    const usual = { faultRatio: aBaseline({ mean }) };
    expect(judged({ appCalls: metrics(added) }, { usual })).toEqual([]);
  });

  it.each([
    ["once", [100, 0, 0, 0]],
    ["once, across the end of a poll", [100, 100, 0, 0, 0]],
  ])("a scanner that asks for what no server has, %s", (_when, failed) => {
    expect(judged({ serverCalls: quiet(...failed) })).toEqual([]);
  });

  it("few failed calls, however many more than usual", () => {
    const usual = { errorRatio: aBaseline({ mean: 0 }) };
    expect(judged({ serverCalls: quiet(3, 3, 3) }, { usual })).toEqual([]);
    expect(judged({ serverCalls: quiet(3, 3, 4) }, { usual })).toHaveLength(1);
  });

  it("a share of failed calls that is not three times the usual", () => {
    const usual = { errorRatio: aBaseline({ mean: 0.1 }) };
    const serverCalls = channelz({ finished: 100, failed: 29 });
    expect(judged({ serverCalls }, { usual })).toEqual([]);
  });
});

describe("does not judge", () => {
  it.each<[string, Partial<Facts>]>([
    ["without any counter", { probes: probe("INTERNAL", "INTERNAL", "INTERNAL") }],
    ["a server on which no call ended", { appCalls: metrics({ OK: 0 }) }],
    ["errors that may be over, or go on", { serverCalls: quiet(100, 100) }],
    ["errors in one poll that are just over", { serverCalls: quiet(100, 0, 0) }],
    ["before there are scrapes enough", { appCalls: metrics({ OK: 9 }, { scrapes: 2 }) }],
    ["errors of one scrape's time while nobody calls", { appCalls: blip(13, 0, 0) }],
    [
      "failed calls of an implementation that counts cancels among them",
      {
        serverCalls: {
          ...channelz({ finished: 100, failed: 100 }),
          polls: series(12, 10 * SECOND, (at, i) =>
            aCallPoll({ at, started: 100 * i, failed: 100 * i }),
          ),
        },
      },
    ],
    [
      "connections that do not speak for all calls",
      {
        serverCalls: {
          implementation: "go",
          polls: series(12, 10 * SECOND, (at, i) =>
            aCallPoll({
              at,
              started: 100 * i,
              failed: 100 * i,
              streams: { started: 80 * i, reset: 0 },
            }),
          ),
        },
      },
    ],
  ])("%s", (_what, facts) => {
    expect(judged(facts)).toBeUndefined();
  });
});

describe("speaks", () => {
  it("of errors by their codes", () => {
    expect(judged({ appCalls: metrics({ OK: 60, UNKNOWN: 30, UNAVAILABLE: 10 }) })).toEqual([
      {
        subject: {},
        severity: "warning",
        witnesses: ["metrics"],
        summary: "160 of 400 calls (40 %) ended with an error in 60 s, most of them UNKNOWN",
        evidence: {
          failed: 160,
          calls: 400,
          ratio: 0.4,
          codes: ["UNKNOWN 120", "UNAVAILABLE 40"],
          unhandledException: true,
        },
      },
    ]);
  });

  it("of the methods that end so, where the app tells them, and of no other's errors", () => {
    const { scrapes } = metrics({ OK: 60, UNKNOWN: 30, UNAVAILABLE: 10 });
    const faults = [
      { method: "a.B/C", code: "UNAVAILABLE", count: 10 },
      { method: "a.B/D", code: "UNKNOWN", count: 30 },
      { method: "a.B/E", code: "NOT_FOUND", count: 99 },
    ] as const;
    const told = scrapes.map((scrape) => ({ ...scrape, faults }));
    expect(judged({ appCalls: { families: [], scrapes: told } })).toMatchObject([
      { evidence: { methods: ["a.B/D 120", "a.B/C 40"] } },
    ]);
  });

  it("of nearly all calls, where only channelz counts them", () => {
    expect(judged({ serverCalls: channelz({ finished: 100, failed: 90 }) })).toEqual([
      {
        subject: {},
        severity: "warning",
        witnesses: ["channelz"],
        summary:
          "540 of 600 calls (90 %) ended with an error in 60 s; without the app's metrics their codes are not known",
        evidence: { failed: 540, calls: 600, ratio: 0.9 },
      },
    ]);
  });

  it("of errors beside clients that die", () => {
    const serverCalls = channelz({ finished: 100, failed: 100, reset: 2, left: 5 });
    expect(judged({ serverCalls })).toMatchObject([{ evidence: { failed: 558, calls: 570 } }]);
  });

  it("of failed calls where none of them can be a cancel", () => {
    const polls = series(12, 10 * SECOND, (at, i) =>
      aCallPoll({ at, started: 100 * i, succeeded: 5 * i, failed: 95 * i }),
    );
    const serverCalls = { implementation: "java", failsByErrorOnly: true, polls } as const;
    expect(judged({ serverCalls })).toMatchObject([{ evidence: { failed: 570 } }]);
  });

  it("of a share that is three times the usual", () => {
    const usual = { faultRatio: aBaseline({ mean: 0.01 }) };
    expect(judged({ appCalls: metrics({ OK: 95, INTERNAL: 5 }) }, { usual })).toMatchObject([
      { evidence: { ratio: 0.05, baselineRatio: 0.01 } },
    ]);
    const often = { errorRatio: aBaseline({ mean: 0.05 }) };
    expect(
      judged({ serverCalls: channelz({ finished: 100, failed: 20 }) }, { usual: often }),
    ).toMatchObject([{ evidence: { ratio: 0.2, baselineRatio: 0.05 } }]);
    expect([ratio.default, minFailed.default, absoluteRatio.default]).toEqual([0.05, 20, 0.2]);
  });

  it.each<[string, Partial<Facts>, object]>([
    [
      "calls that failed unanswered, beside streams that had their answers",
      { appCalls: metrics({ UNAVAILABLE: 20 }, { answered: { UNAVAILABLE: 10 } }) },
      { failed: 40, calls: 40 },
    ],
    [
      "errors of half of them, as their connections do not explain",
      {
        appCalls: metrics({ OK: 30, UNAVAILABLE: 30 }),
        serverCalls: javaCalls({ finished: 20, failed: 10 }),
      },
      { failed: 120, codes: ["UNAVAILABLE 120"] },
    ],
    [
      "deadlines of the server's own calls, which nobody reset",
      {
        appCalls: metrics({ DEADLINE_EXCEEDED: 100 }),
        serverCalls: channelz({ finished: 100, failed: 100, reset: 9 }),
      },
      { failed: 400, codes: ["DEADLINE_EXCEEDED 400"] },
    ],
    ["errors that go on", { appCalls: blip(13, 1, 1) }, { failed: 14 }],
  ])("of %s", (_what, facts, evidence) => {
    expect(judged(facts)).toMatchObject([{ evidence }]);
  });

  it("of three calls a minute, all of them failing", () => {
    expect(judged({ appCalls: metrics({ INTERNAL: 1 }, { scrapes: 12 }) })).toMatchObject([
      { evidence: { failed: 11, calls: 11 } },
    ]);
  });

  it.each<[string, Partial<Facts>, string, readonly string[]]>([
    [
      "critical where channelz agrees",
      { serverCalls: channelz({ finished: 100, failed: 95 }) },
      "critical",
      ["metrics", "channelz"],
    ],
    [
      "critical where a probe agrees",
      { probes: probe("INTERNAL", "UNKNOWN", "INTERNAL") },
      "critical",
      ["metrics", "probe"],
    ],
    [
      "a warning where the probe failed twice only",
      { probes: probe("NOT_FOUND", "INTERNAL", "INTERNAL") },
      "warning",
      ["metrics"],
    ],
    [
      "a warning where channelz is well",
      { serverCalls: channelz({ finished: 100, failed: 10 }) },
      "warning",
      ["metrics"],
    ],
  ])("as %s", (_what, facts, severity, witnesses) => {
    expect(judged({ appCalls: metrics({ OK: 50, INTERNAL: 50 }), ...facts })).toMatchObject([
      { severity, witnesses },
    ]);
  });

  it("only as info of more failed calls than usual: they may be an import's ALREADY_EXISTS", () => {
    const usual = { errorRatio: aBaseline({ mean: 0.018 }) };
    const serverCalls = channelz({ finished: 100, failed: 40 });
    expect(judged({ serverCalls }, { usual })).toMatchObject([{ severity: "info" }]);
    const most = channelz({ finished: 100, failed: 89 });
    expect(judged({ serverCalls: most }, { usual })).toMatchObject([{ severity: "info" }]);
    const probes = probe("INTERNAL", "UNKNOWN", "INTERNAL");
    expect(judged({ serverCalls, probes }, { usual })).toMatchObject([{ severity: "warning" }]);
  });

  it.each([
    ["info where a quota may be meant", { OK: 55, RESOURCE_EXHAUSTED: 30, INTERNAL: 15 }, "info"],
    ["info where a limit holds one client back", { OK: 26, RESOURCE_EXHAUSTED: 74 }, "info"],
    ["a warning from nine of ten on", { OK: 10, RESOURCE_EXHAUSTED: 90 }, "warning"],
    [
      "a warning where the others suffice",
      { OK: 50, RESOURCE_EXHAUSTED: 30, INTERNAL: 20 },
      "warning",
    ],
  ] as const)("of refused calls as %s", (_what, added, severity) => {
    expect(judged({ appCalls: metrics(added) })).toMatchObject([{ severity }]);
  });

  it("of three polls in which calls failed, and no sooner", () => {
    expect(judged({ serverCalls: quiet(100, 100, 100) })).toMatchObject([
      { severity: "warning", evidence: { failed: 300, calls: 306 } },
    ]);
  });

  it("as a warning below half, though all agree", () => {
    const appCalls = metrics({ OK: 51, INTERNAL: 49 });
    const serverCalls = channelz({ finished: 100, failed: 95 });
    expect(judged({ appCalls, serverCalls })).toMatchObject([{ severity: "warning" }]);
    expect(critical.default).toBe(0.5);
  });

  it("of a dependency whose calls fail alike", () => {
    const channels = someChannels({
      polls: series(16, 10 * SECOND, (at, i) => {
        const sick = Math.max(0, i - 6);
        const calls = { callsSucceeded: 10 * i, callsFailed: 30 * sick };
        return { at, upstreams: { "stock:1": aChannelGroup(calls) } };
      }),
    });
    expect(judged({ appCalls: metrics({ OK: 50, INTERNAL: 50 }), channels })).toMatchObject([
      {
        summary:
          "200 of 400 calls (50 %) ended with an error in 60 s, most of them INTERNAL; its calls fail there alike, so look at stock:1",
        evidence: { dependency: "stock:1", unhandledException: false },
      },
    ]);
  });
});

describe("while an upstream's calls fail again and again", () => {
  /** Six polls of each minute it is not reached; ten calls a poll. */
  const looping = (states: readonly ["READY" | "IDLE", "TRANSIENT_FAILURE" | "READY"]) => {
    const isUp = (i: number) => i % 12 >= 6;
    const failedBy = (i: number) => 10 * Array.from({ length: i }, (_, n) => n).filter(isUp).length;
    const channels = someChannels({
      polls: series(43, 10 * SECOND, (at, i) => {
        const [up, down] = states;
        const calls = { callsSucceeded: 10 * i - failedBy(i), callsFailed: failedBy(i) };
        const state = isUp(i - 1) ? down : up;
        return {
          at,
          upstreams: { "stock:1": aChannelGroup({ ...calls, states: { [state]: 1 } }) },
        };
      }),
    });
    return judged({ appCalls: metrics({ OK: 50, UNAVAILABLE: 50 }), channels })?.map(
      ({ evidence }) => evidence["dependency"],
    );
  };

  it("names the one that comes and goes", () => {
    expect(looping(["READY", "TRANSIENT_FAILURE"])).toEqual(["stock:1"]);
  });

  it.each([
    ["is reached all the time", ["READY", "READY"] as const],
    ["was never reached", ["IDLE", "TRANSIENT_FAILURE"] as const],
  ])("names none that %s", (_which, states) => {
    expect(looping(states)).toEqual([undefined]);
  });

  it.each([
    ["none that always failed so, whether it is reached or not", 3, 3, [undefined]],
    ["one that fails less than half as much while it is reached", 10, 1.4, ["stock:1"]],
    ["none that fails more than half as much then", 10, 3, [undefined]],
  ])("names %s", (_which, failsUnreached, failsReached, named) => {
    const failsOf = (i: number) => (i % 6 < 2 ? failsUnreached : failsReached);
    const failedBy = (i: number) =>
      Array.from({ length: i }, (_, n) => failsOf(n)).reduce((sum, failed) => sum + failed, 0);
    const channels = someChannels({
      polls: series(43, 10 * SECOND, (at, i) => ({
        at,
        upstreams: {
          "stock:1": aChannelGroup({
            callsSucceeded: 10 * i - failedBy(i),
            callsFailed: failedBy(i),
            states: { [[1, 2].includes(i % 6) ? "TRANSIENT_FAILURE" : "READY"]: 1 },
          }),
        },
      })),
    });
    const found = judged({ appCalls: metrics({ OK: 50, INTERNAL: 50 }), channels });
    expect(found?.map(({ evidence }) => evidence["dependency"])).toEqual(named);
  });
});

describe("where clients close their connection under a stream that talks, beside others that end well", () => {
  const left = (talked: number | undefined, change: ByCode = {}) =>
    judged({
      appCalls: metrics({ OK: 45, UNAVAILABLE: 15, ...change }),
      serverCalls: channelz({ finished: 40, failed: 10, left: 10, ...(talked && { talked }) }),
    });

  it.each([
    ["each of them", 10, {}],
    ["nearly all of them, as far as polls saw", 7.5, {}],
    ["as many again, which the metrics have as CANCELLED", 20, { CANCELLED: 15 }],
  ])("is silent about UNAVAILABLE: %s", (_which, talked, change) => {
    expect(left(talked, change)).toEqual([]);
  });

  it.each([
    ["UNAVAILABLE where no stream went", undefined, {}, ["UNAVAILABLE 60"]],
    ["UNAVAILABLE where only three of five were such streams", 6, {}, ["UNAVAILABLE 60"]],
    [
      "UNAVAILABLE where those that went are CANCELLED by the metrics",
      10,
      { CANCELLED: 15 },
      ["UNAVAILABLE 60"],
    ],
    ["other errors beside them", 10, { INTERNAL: 20 }, ["INTERNAL 80"]],
  ])("is told of %s", (_what, talked, change, codes) => {
    expect(left(talked, change)).toMatchObject([{ evidence: { codes } }]);
  });
});

it("learns what is usual from the newest readings", () => {
  const facts = {
    appCalls: known(metrics({ OK: 90, INTERNAL: 10, NOT_FOUND: 100 })),
    serverCalls: known(channelz({ finished: 40, failed: 20, reset: 10 })),
  };
  expect(errorBurst.samples(aTargetSnapshot({ facts }))).toEqual({
    faultRatio: { value: 0.05, weight: 200 },
    errorRatio: { value: 0.25, weight: 40 },
  });
  const idle = { appCalls: known(metrics({ OK: 0 })) };
  expect(errorBurst.samples(aTargetSnapshot({ facts: idle }))).toEqual({});
});

it.each([
  ["message-too-large", undefined, false],
  ["message-too-large", ["RESOURCE_EXHAUSTED 90"], true],
  ["message-too-large", ["INTERNAL 90", "RESOURCE_EXHAUSTED 2"], false],
  ["app-frozen", ["INTERNAL 90"], true],
])("is explained by %s of %j: %s", (code, codes, isExplained) => {
  const evidence = codes === undefined ? {} : { codes };
  expect(errorBurst.explainedBy({ code, subject: {}, evidence: {} }, evidence, {})).toBe(
    isExplained,
  );
});

it("reads what it declares", () => {
  judged({
    appCalls: metrics({ OK: 50, INTERNAL: 50 }),
    serverCalls: channelz({ finished: 1, failed: 1 }),
    probes: probe("INTERNAL"),
    channels: someChannels(),
  });
  expect(factsRead(errorBurst)).toEqual(factsDeclared(errorBurst));
});

describe("where the server's own timer ends calls at their deadline as any error does,", () => {
  /** Three calls a minute, all failed; how many of them each poll of 10 s met in flight. */
  const failing = (hides: Pick<ServerCalls, "hidesDeadlines">, inFlight: readonly number[]) =>
    judged({
      serverCalls: {
        implementation: "grpc-js",
        ...hides,
        polls: series(24, 10 * SECOND, (at, index) => {
          const failed = Math.floor(index / 2);
          const streams = { started: failed, reset: 0 };
          const met = inFlight[index % inFlight.length] ?? 0;
          return aCallPoll({
            at,
            started: failed + met,
            failed,
            inFlight: met,
            streams,
            ended: failed,
          });
        }),
      },
    })?.[0];

  it.each<[string, Pick<ServerCalls, "hidesDeadlines">, readonly number[]]>([
    ["errors that come at once", { hidesDeadlines: true }, [0]],
    ["errors that were waited for where the callers reset their calls", {}, [0, 0, 0, 1]],
  ])("tells %s as errors", (_what, hides, inFlight) => {
    const symptom = failing(hides, inFlight);
    expect(symptom).not.toHaveProperty("remedy");
    expect(symptom?.summary).toMatch(/^\d+ of \d+ calls \(100 %\) ended with an error in /);
  });

  it("tells errors that were waited for as either", () => {
    expect(failing({ hidesDeadlines: true }, [0, 0, 0, 1])).toMatchObject({
      summary: expect.stringMatching(/ended with an error, or at their deadline, after \d+ ms in /),
      remedy: expect.stringContaining("The calls waited before they failed"),
      evidence: { meanAgeMs: expect.any(Number) },
    });
  });
});
