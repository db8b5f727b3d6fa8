import { describe, expect, it } from "vitest";
import { inFlightBuildup } from "../../src/detectors/in-flight-buildup.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import {
  aBaseline,
  aCallPoll,
  aChannelGroup,
  aProbeHistory,
  aProbeRun,
  aTargetSnapshot,
  factsDeclared,
  factsRead,
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

const { minInFlight, critical } = inFlightBuildup.limits;

/** Calls in flight and calls finished, poll by poll of 10 s. */
interface Course {
  readonly polls: number;
  readonly inFlight: (index: number) => number;
  readonly finished: (index: number) => number;
  readonly isEstimated: boolean;
  readonly standing?: (index: number) => { readonly streams: number; readonly connections: number };
  /** Messages of the server beyond an answer each. */
  readonly spoken?: (index: number) => number;
}

/** Three min in which ten calls start in every poll and five of them never end. */
const sick: Course = {
  polls: 19,
  inFlight: (index) => 5 * index,
  finished: (index) => 5 * index,
  isEstimated: false,
};

function calls(change: Partial<Course> = {}): Facts["serverCalls"] {
  const { polls, inFlight, finished, isEstimated, standing, spoken } = { ...sick, ...change };
  return {
    implementation: "go",
    polls: series(polls, 10 * SECOND, (at, index) =>
      aCallPoll({
        at,
        started: inFlight(index) + finished(index),
        succeeded: finished(index),
        inFlight: inFlight(index),
        isEstimated,
        standing: standing?.(index),
        spoken: spoken?.(index),
      }),
    ),
  };
}

const usual = { inFlight: aBaseline({ mean: 2 }) };
const judged = (change: Partial<Course>, facts: Partial<Facts> = {}) =>
  judge(inFlightBuildup, { serverCalls: calls(change), ...facts }, { usual });

const probe = (ms: number, outcome: "passed" | "failed" = "passed") =>
  someProbes({
    probes: {
      p: aProbeHistory({ runs: series(3, 30 * SECOND, (at) => aProbeRun({ at, ms, outcome })) }),
    },
  });
const unary = someServices({ methods: [{ name: "a.B/C", kind: "unary" }] });
const mixed = someServices({
  methods: [
    { name: "a.B/C", kind: "unary" },
    { name: "a.B/Watch", kind: "server-streaming" },
  ],
});

const symptom = {
  subject: {},
  severity: "warning",
  witnesses: ["channelz"],
  summary: "90 calls are in flight, 30 more every minute for 3 min: 60 a minute start and 30 end",
  evidence: {
    inFlight: 90,
    slopePerMinute: 30,
    rSquared: 1,
    startedPerMinute: 60,
    finishedPerMinute: 30,
    risingSeconds: 180,
    baselineInFlight: 2,
  },
};

describe("against what is usual", () => {
  it.each<[string, Partial<Course>]>([
    ["in flight stands still: slow, not stuck", { inFlight: () => 500 }],
    ["it falls", { inFlight: (index) => 500 - 5 * index }],
    ["it goes up and down", { inFlight: (index) => 50 + 40 * (index % 2) }],
    ["load rises, and completions with it", { finished: (index) => 5 * index * index }],
    ["too few are in flight", { inFlight: (index) => index }],
    ["it is below three times the usual", { inFlight: (index) => index / 4 + 1 }],
  ])("is silent when %s", (_when, change) => {
    expect(judged(change)).toEqual([]);
  });

  it.each<[string, Partial<Facts>, number]>([
    ["streams may stay open", { services: mixed }, 0],
    ["the methods are not known", {}, 0],
    ["calls ought to end", { services: unary }, 1],
  ])(
    "where more and more of those in flight are on quiet connections: %s",
    (_where, facts, count) => {
      const standing = (index: number) => ({ streams: 5 * index, connections: index });
      expect(judged({ standing }, facts)).toHaveLength(count);
    },
  );

  it("is silent where each client holds one stream, though every method is unary", () => {
    const standing = (index: number) => ({ streams: 5 * index, connections: 5 * index });
    expect(judged({ standing }, { services: unary })).toEqual([]);
  });

  it("is silent where streams may stay open and as many calls end as usual", () => {
    const at = (mean: number, facts: Partial<Facts>) =>
      judge(
        inFlightBuildup,
        { serverCalls: calls(), ...facts },
        { usual: { ...usual, finishedPerMinute: aBaseline({ mean }) } },
      );
    expect(at(33, { services: mixed })).toEqual([]);
    expect(at(33.1, { services: mixed })).toHaveLength(1);
    expect(at(33, { services: unary })).toHaveLength(1);
  });

  /** So many messages in every poll of the first two minutes, and so many of the third. */
  const talk = (first: number, last: number) => (index: number) =>
    index <= 12 ? first * index : 12 * first + last * (index - 12);

  it.each<[string, (index: number) => number]>([
    ["who are answered every five seconds", (index) => 5 * index * index],
    ["as little as every second of them once a minute", talk(0, 7.5)],
    ["beside others who talk as ever", talk(60, 67.5)],
  ])("is silent where those who log in are users who talk, %s", (_how, spoken) => {
    expect(judged({ spoken }, { services: mixed })).toEqual([]);
    expect(judged({ spoken })).toEqual([]);
  });

  it.each<[string, (index: number) => number, Partial<Facts>]>([
    ["the server says nothing", () => 0, { services: mixed }],
    ["it says one word on each, and no more", (index) => 5 * index, { services: mixed }],
    ["too few of them are spoken to", talk(0, 7.4), { services: mixed }],
    ["others are spoken to as ever", (index) => 600 * index, { services: mixed }],
    ["others are spoken to a tenth more, of very much", talk(600, 660), { services: mixed }],
    ["no method streams", talk(0, 60), { services: unary }],
    ["a unary probe waits as well", talk(0, 60), { services: mixed, probes: probe(250) }],
  ])("speaks where %s", (_when, spoken, facts) => {
    expect(judged({ spoken }, facts)).toHaveLength(1);
  });

  it("is silent one below its least number, and speaks at it", () => {
    const rising = (last: number) => ({ inFlight: (index: number) => (last * index) / 18 });
    expect(judged(rising(minInFlight.default - 1))).toEqual([]);
    expect(judged(rising(minInFlight.default))).toHaveLength(1);
  });

  it("is silent just below three times the usual, and speaks at it", () => {
    const at = (mean: number) =>
      judge(
        inFlightBuildup,
        { serverCalls: calls() },
        { usual: { inFlight: aBaseline({ mean }) } },
      );
    expect(at(30.1)).toEqual([]);
    expect(at(30)).toHaveLength(1);
  });

  it("speaks with the numbers that convict", () => {
    expect(judged({})).toEqual([symptom]);
  });

  it("allows completions that rise by a tenth, and no more", () => {
    const finished = (last: number) => (index: number) =>
      index <= 12 ? 10 * index : 120 + last * (index - 12);
    expect(judged({ finished: finished(11) })).toHaveLength(1);
    expect(judged({ finished: finished(11.1) })).toEqual([]);
  });

  it("waits for three minutes, and for a baseline", () => {
    expect(judged({ polls: 18 })).toEqual([]);
    expect(judge(inFlightBuildup, { serverCalls: calls() })).toEqual([]);
  });
});

describe("when nothing ends at all", () => {
  const stuck: Partial<Course> = { polls: 7, inFlight: (index) => 2 * index, finished: () => 40 };
  const cold = (change: Partial<Course>, facts: Partial<Facts>) =>
    judge(inFlightBuildup, { serverCalls: calls({ ...stuck, ...change }), ...facts });

  it.each<[string, Partial<Course>, Partial<Facts>]>([
    ["fewer than ten started", { inFlight: (index) => 1.6 * index }, { services: unary }],
    ["one ended meanwhile", { finished: (index) => (index > 3 ? 41 : 40) }, { services: unary }],
    ["a method streams, and a unary probe is fast", {}, { services: mixed, probes: probe(5) }],
    ["in flight does not rise", { inFlight: () => 20 }, { services: unary }],
  ])("is silent when %s", (_when, change, facts) => {
    expect(cold(change, facts)).toEqual([]);
  });

  it("does not judge for three minutes where none was ever seen to end: they may wait by nature", () => {
    const never = (polls: number) => cold({ polls, finished: () => 0 }, { services: unary });
    expect(never(18)).toBeUndefined();
    expect(never(19)).toHaveLength(1);
  });

  it("does not judge where methods may stream, or are not known, and no unary probe tells", () => {
    expect(cold({}, {})).toBeUndefined();
    expect(cold({}, { services: mixed })).toBeUndefined();
    expect(cold({}, { services: someServices({ methods: undefined }) })).toBeUndefined();
  });

  it("does not judge less than a minute, nor without any counter", () => {
    expect(cold({ polls: 6 }, { services: unary })).toBeUndefined();
    expect(judge(inFlightBuildup, { services: unary })).toBeUndefined();
    const handledOnly = someAppCalls();
    expect(judge(inFlightBuildup, { services: unary, appCalls: handledOnly })).toBeUndefined();
  });

  it.each<[string, Partial<Facts>]>([
    ["all methods are unary", { services: unary }],
    ["a unary probe waits as well", { services: mixed, probes: probe(250) }],
  ])("speaks where %s, without any baseline", (_when, facts) => {
    const [found] = cold({}, facts) ?? [];
    expect(found?.summary).toBe(
      "12 calls are in flight, 12 more every minute for 60 s: 12 a minute start and 0 end",
    );
  });
});

describe("is critical", () => {
  const long = { polls: critical.default / (10 * SECOND) + 1 };
  const severity = (change: Partial<Course>, facts: Partial<Facts>) =>
    judged(change, facts)?.map((found) => [found.severity, found.witnesses]);

  it("when it rises in a line for five minutes, and a probe waits or fails as well", () => {
    expect(severity(long, { probes: probe(250) })).toEqual([["critical", ["channelz", "probe"]]]);
    expect(severity(long, { probes: probe(5, "failed") })).toEqual([
      ["critical", ["channelz", "probe"]],
    ]);
  });

  it("when metrics agree", () => {
    const appCalls = (stuck: number) =>
      someAppCalls({
        scrapes: series(21, 15 * SECOND, (at, index) => ({
          at,
          started: 10 * index + stuck * index,
          handledByCode: { OK: 10 * index },
        })),
      });
    expect(severity(long, { appCalls: appCalls(5) })).toEqual([
      ["critical", ["channelz", "metrics"]],
    ]);
    expect(severity(long, { appCalls: appCalls(0) })).toEqual([["warning", ["channelz"]]]);
  });

  it.each<[string, Partial<Course>, Partial<Facts>]>([
    ["a minute less", { polls: long.polls - 1 }, { probes: probe(250) }],
    ["an estimate", { ...long, isEstimated: true }, { probes: probe(250) }],
    ["a probe that is fast", long, { probes: probe(5) }],
  ])("not by %s", (_what, change, facts) => {
    expect(severity(change, facts)?.map(([name]) => name)).toEqual(["warning"]);
  });
});

it("judges the app's own metrics where channelz is not served", () => {
  const appCalls = someAppCalls({
    scrapes: series(13, 15 * SECOND, (at, index) => ({
      at,
      started: 20 * index,
      handledByCode: { OK: 10 * index },
    })),
  });
  const found = judge(inFlightBuildup, { appCalls }, { usual });
  expect(found?.map(({ severity, witnesses }) => [severity, witnesses])).toEqual([
    ["warning", ["metrics"]],
  ]);
});

it.each([
  ["names", 45, "inventory:50051"],
  ["does not name", 44, undefined],
])("%s the dependency whose calls rise by half as many", (_what, growth, dependency) => {
  const poll = (ageMs: number, waiting: number) => ({
    at: NOW - ageMs,
    upstreams: {
      "inventory:50051": aChannelGroup({ callsStarted: 100 + waiting, callsSucceeded: 100 }),
      "payments:50051": aChannelGroup({ callsStarted: 500, callsSucceeded: 499 }),
    },
  });
  const channels = someChannels({ polls: [poll(180_000, 1), poll(0, 1 + growth)] });
  expect(judged({}, { channels })?.map(({ evidence }) => evidence["dependency"])).toEqual([
    dependency,
  ]);
});

it("learns how many are usually in flight, while calls start, and how many end", () => {
  const samples = (course: Partial<Course>) =>
    inFlightBuildup.samples(aTargetSnapshot({ facts: { serverCalls: known(calls(course)) } }));
  const finishedPerMinute = { value: 30, weight: 5 };
  expect(samples({})).toEqual({ inFlight: { value: 90, weight: 10 }, finishedPerMinute });
  const standing = () => ({ streams: 80, connections: 1 });
  expect(samples({ standing })).toEqual({ inFlight: { value: 10, weight: 10 }, finishedPerMinute });
  expect(samples({ inFlight: () => 3, finished: () => 4 })).toEqual({
    finishedPerMinute: { value: 0, weight: 0 },
  });
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(inFlightBuildup)).toEqual(factsDeclared(inFlightBuildup));
});
