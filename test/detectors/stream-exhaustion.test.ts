import { describe, expect, it } from "vitest";
import { streamExhaustion } from "../../src/detectors/stream-exhaustion.ts";
import type { AppScrape } from "../../src/model/facts/app-calls.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import {
  aCallPoll,
  aChannelGroup,
  anXray,
  anXrayReport,
  aServerCalls,
  aSocketReading,
  factsDeclared,
  factsRead,
  judge,
  NOW,
  SECOND,
  series,
  someAppCalls,
  someSockets,
  someSurroundings,
  someUpstreamCalls,
} from "../support/snapshot.ts";

const full = streamExhaustion.limits.full.default;
const window = streamExhaustion.limits.window.default;
const MOST = 100;

const limited = (maxConcurrentStreams: number | undefined) =>
  anXray({
    latest: anXrayReport({ phaseMs: { rpc: 3 } }),
    lastSettings: maxConcurrentStreams === undefined ? {} : { maxConcurrentStreams },
    lastLimits: [maxConcurrentStreams ?? null, maxConcurrentStreams ?? null],
  });

const inFlight = (count: number) =>
  aServerCalls({ polls: [aCallPoll({ started: count, inFlight: count })] });

/** Polls that lie so many ms before now, each with its sockets as `[id, open, started]`. */
const socketsAt = (
  ...polls: readonly (readonly [number, ...(readonly [number, number, number])[]])[]
) =>
  someSockets({
    polls: polls.map(([ageMs, ...read]) => ({
      at: NOW - ageMs,
      connections: 3,
      read: read.map(([id, open, started]) =>
        aSocketReading({ id, open, started, peer: `10.0.0.${id}` }),
      ),
    })),
  });

const sick: Partial<Facts> = {
  xray: limited(MOST),
  serverCalls: inFlight(150),
  sockets: socketsAt([full, [1, 100, 500]], [5000, [1, 100, 500]], [0, [1, 100, 500]]),
};
const judged = (change: Partial<Facts>) => judge(streamExhaustion, { ...sick, ...change });

const symptom = {
  subject: { side: "server" },
  severity: "critical",
  witnesses: ["preflight", "channelz"],
  summary: "10.0.0.1 has 100 streams open for 15 s where the server allows 100 per connection",
  evidence: {
    maxConcurrentStreams: 100,
    openStreams: 100,
    use: "held",
    fullSeconds: 15,
    freshCallMs: 3,
    fullConnections: 1,
    connections: 3,
    inFlight: 150,
    peers: ["10.0.0.1"],
  },
};

describe("at the server", () => {
  it.each<[string, Partial<Facts>]>([
    ["no limit was sent", { xray: limited(undefined) }],
    ["the limit is none", { xray: limited(2 ** 31 - 1) }],
    ["too few calls are in flight for a connection to be full", { serverCalls: inFlight(89) }],
    [
      "one poll saw a client hold what a server for three streams a connection allows",
      { xray: limited(3), sockets: socketsAt([0, [1, 3, 5]]) },
    ],
    ["it is not full any more", { sockets: socketsAt([full, [1, 100, 1]], [0, [1, 89, 1]]) }],
    ...[1, 2, 3].map((most): [string, Partial<Facts>] => [
      `clients hold what a server for ${most} streams a connection allows`,
      {
        xray: limited(most),
        sockets: socketsAt([full, [1, most, 5]], [5000, [1, most, 5]], [0, [1, most, 5]]),
      },
    ]),
    [
      "the streams are on two connections",
      { sockets: socketsAt([full, [1, 75, 1], [2, 75, 1]], [0, [1, 75, 1], [2, 75, 1]]) },
    ],
    ["it is just below high", { sockets: socketsAt([window, [1, 89, 1]], [0, [1, 89, 1]]) }],
  ])("is silent when %s", (_when, change) => {
    expect(judged(change)).toEqual([]);
  });

  it.each<[string, Partial<Facts>]>([
    ["only one poll saw it", { sockets: socketsAt([0, [1, 100, 500]]) }],
    [
      "two polls saw it that lie too close",
      { sockets: socketsAt([4999, [1, 100, 1]], [0, [1, 100, 1]]) },
    ],
    [
      "it was not full in between",
      { sockets: socketsAt([full, [1, 100, 1]], [5000, [1, 99, 1]], [0, [1, 100, 1]]) },
    ],
  ])("does no more than suspect it when %s", (_when, change) => {
    expect(judged(change)).toMatchObject([
      { isSuspicion: true, severity: "warning", holdMs: 5000, evidence: { openStreams: 100 } },
    ]);
  });

  it("says of a single poll what is open, and neither for how long nor to what use", () => {
    const { use: _use, fullSeconds: _seconds, ...evidence } = symptom.evidence;
    expect(judged({ sockets: socketsAt([0, [1, 100, 500]]) })).toEqual([
      {
        ...symptom,
        severity: "warning",
        isSuspicion: true,
        holdMs: 5000,
        summary: "10.0.0.1 has 100 streams open where the server allows 100 per connection",
        evidence,
      },
    ]);
  });

  it.each<[string, Partial<Facts>]>([
    ["SETTINGS were never seen", { xray: anXray() }],
    ["a connection may be full, and none was read", { sockets: undefined as never }],
    [
      "one stream is left, and has been for less than the window",
      { sockets: socketsAt([full, [1, 99, 1]], [0, [1, 99, 1]]) },
    ],
    [
      "it is high for less than the window",
      { sockets: socketsAt([window - 1, [1, 90, 1]], [0, [1, 90, 1]]) },
    ],
  ])("does not judge when %s", (_when, change) => {
    const known = Object.entries({ ...sick, ...change }).filter(([, value]) => value !== undefined);
    expect(judge(streamExhaustion, Object.fromEntries(known))).toBeUndefined();
  });

  it("does not judge without any counter of calls", () => {
    expect(judge(streamExhaustion, { xray: limited(MOST) })).toBeUndefined();
  });

  it("is critical once a connection has been full for the limit", () => {
    expect(judged({})).toEqual([symptom]);
  });

  it.each([
    ["a pool of exactly the limit, on which nothing else was ever called", 100],
    ["the same, each after a call of its own", 200],
  ])("does no more than warn of %s", (_what, started) => {
    const sockets = socketsAt([window, [1, 100, started]], [0, [1, 100, started]]);
    expect(judged({ sockets })).toMatchObject([
      { severity: "warning", evidence: { use: "held", fullSeconds: 30 } },
    ]);
  });

  it.each([
    ["stopped when the streams were held", 201, 201],
    ["go on in few of its places", 100, 101],
  ])("is critical where calls on it %s", (_what, before, started) => {
    const sockets = socketsAt([full, [1, 100, before]], [0, [1, 100, started]]);
    expect(judged({ sockets })).toMatchObject([{ severity: "critical" }]);
  });

  it("warns before that", () => {
    const sockets = socketsAt([full - 1, [1, 100, 500]], [0, [1, 100, 501]]);
    const [found] = judged({ sockets }) ?? [];
    expect(found?.severity).toBe("warning");
    expect(found?.evidence).toMatchObject({ use: "busy", fullSeconds: 14.999 });
  });

  it("warns of a connection that is high for the window", () => {
    const sockets = socketsAt([window, [1, 90, 1]], [0, [1, 90, 1]]);
    expect(judged({ sockets, serverCalls: inFlight(90) })).toEqual([
      {
        ...symptom,
        severity: "warning",
        summary: "10.0.0.1 has 90 streams open for 30 s where the server allows 100 per connection",
        evidence: {
          ...symptom.evidence,
          openStreams: 90,
          fullSeconds: 30,
          fullConnections: 0,
          inFlight: 90,
        },
      },
    ]);
  });

  it.each([
    ["a small limit that is busy", 3, 10],
    ["the smallest limit that clients share", 4, 9],
  ])("is critical of %s", (_what, most, started) => {
    const sockets = socketsAt([full, [1, most, 9]], [0, [1, most, started]]);
    expect(judged({ xray: limited(most), sockets })).toMatchObject([{ severity: "critical" }]);
  });

  it("follows a connection through polls that did not read it, and names all peers", () => {
    const sockets = socketsAt(
      [20_000, [1, 100, 1], [2, 100, 1]],
      [10_000, [2, 100, 1]],
      [0, [1, 100, 1], [2, 100, 1]],
    );
    const [found] = judged({ sockets }) ?? [];
    expect(found?.evidence).toMatchObject({
      fullConnections: 2,
      peers: ["10.0.0.1", "10.0.0.2"],
      fullSeconds: 20,
    });
  });

  describe("where the same peer has another connection", () => {
    /** Two connections by id, peer and open streams, unchanged for the limit. */
    const pair = (peer: string, full: number, other: readonly [number, string, number]) => {
      const [id, otherPeer, open] = other;
      const read = [
        aSocketReading({ id: full, peer, open: 100, started: 201 }),
        aSocketReading({ id, peer: otherPeer, open }),
      ];
      const at = (ageMs: number) => ({ at: NOW - ageMs, connections: 2, read });
      return { sockets: someSockets({ polls: [at(window), at(0)] }) };
    };
    const severities = (facts: Partial<Facts>) => judged(facts)?.map(({ severity }) => severity);

    it.each<[string, Partial<Facts>]>([
      ["a newer one that has room", pair("10.0.0.7", 4, [5, "10.0.0.7", 60])],
      [
        "so behind a proxy in the pod",
        {
          ...pair("127.0.0.6", 4, [5, "127.0.0.6", 60]),
          surroundings: someSurroundings({ mesh: true }),
        },
      ],
    ])("only says so: %s", (_which, facts) => {
      expect(judged(facts)).toEqual([
        expect.objectContaining({
          severity: "info",
          summary: expect.stringMatching(/ per connection; a newer connection of it has room$/),
        }),
      ]);
    });

    it.each<[string, Partial<Facts>]>([
      ["is older", pair("10.0.0.7", 4, [3, "10.0.0.7", 9])],
      ["is full as well", pair("10.0.0.7", 4, [5, "10.0.0.7", 100])],
      ["is another peer's", pair("10.0.0.7", 4, [5, "10.0.0.8", 9])],
      ["may be another client's, on loopback", pair("127.0.0.1", 4, [5, "127.0.0.1", 9])],
      [
        "may be another client's, where a proxy is known not to be",
        { ...pair("::1", 4, [5, "::1", 9]), surroundings: someSurroundings() },
      ],
      ["may be another client's, over a unix socket", pair("", 4, [5, "", 9])],
    ])("is critical all the same where that one %s", (_which, facts) => {
      expect(severities(facts)).toEqual(["critical"]);
    });

    it("names who has no address", () => {
      expect(judged(pair("", 4, [5, "", 9]))).toMatchObject([
        {
          summary: expect.stringMatching(/^A client of the unix socket has 100 streams open/),
          evidence: { peers: ["A client of the unix socket"] },
        },
      ]);
    });

    it("is silent about one that is high and not full", () => {
      const { sockets } = pair("10.0.0.7", 4, [5, "10.0.0.7", 9]);
      const high = sockets.polls.map((poll) => ({
        ...poll,
        read: poll.read.map((socket) => ({ ...socket, open: Math.min(socket.open, 95) })),
      }));
      expect(judged({ sockets: { ...sockets, polls: high } })).toEqual([]);
    });
  });

  it("is critical where the limit is 0 in two preflights", () => {
    const closed = (lastLimits: readonly (number | null)[]) => ({
      xray: anXray({ lastSettings: { maxConcurrentStreams: 0 }, lastLimits }),
    });
    expect(judged(closed([0]))).toEqual([]);
    expect(judged(closed([100, 0]))).toEqual([]);
    expect(judged(closed([0, 0]))).toEqual([
      {
        subject: { side: "server" },
        severity: "critical",
        witnesses: ["preflight"],
        isDeterministic: true,
        summary: "The server allows 0 concurrent streams: no call can start",
        evidence: { maxConcurrentStreams: 0 },
      },
    ]);
  });
});

describe("at the client", () => {
  const upstream = (
    polls: readonly {
      ageMs: number;
      waiting: number;
      open: readonly number[];
      connections?: number;
    }[],
  ) =>
    someUpstreamCalls({
      polls: polls.map(({ ageMs, waiting, open, connections = 1 }) => ({
        at: NOW - ageMs,
        ...aChannelGroup({
          callsStarted: open.reduce((sum, streams) => sum + streams, waiting),
          remotes: Object.fromEntries(
            open.map((streams, index) => [
              `10.0.1.${index}`,
              { open: streams, started: 7, connections, failing: false },
            ]),
          ),
        }),
      })),
    });
  const busy = [
    { ageMs: full, waiting: 30, open: [100, 100] },
    { ageMs: 0, waiting: 30, open: [100, 100] },
  ];
  const atClient = (polls: Parameters<typeof upstream>[0]) =>
    judge(
      streamExhaustion,
      { xray: limited(MOST), upstreamCalls: upstream(polls) },
      { target: "inventory" },
    );
  const twice = (poll: Omit<(typeof busy)[number], "ageMs"> & { connections?: number }) => [
    { ageMs: full, ...poll },
    { ageMs: 0, ...poll },
  ];

  it.each([
    ["no call waits", twice({ waiting: 0, open: [100, 100] })],
    ["one connection has room", twice({ waiting: 30, open: [100, 99] })],
    ["a remote has two connections", twice({ waiting: 30, open: [199], connections: 2 })],
    ["there is no connection", twice({ waiting: 30, open: [] })],
  ])("is silent when %s", (_when, polls) => {
    expect(atClient(polls)).toEqual([]);
  });

  it.each([
    [
      "one poll saw it",
      busy.slice(1),
      "All 2 connections of the app to inventory have had the 100 streams that it allows, and 30 calls wait",
    ],
    [
      "two polls saw it that lie too close",
      [{ ageMs: 4999, waiting: 30, open: [100, 100] }, ...busy.slice(1)],
      "All 2 connections of the app to inventory have had the 100 streams that it allows for 4 s, and 30 calls wait",
    ],
  ])("does no more than suspect it when %s", (_when, polls, summary) => {
    expect(atClient(polls)).toMatchObject([
      { isSuspicion: true, holdMs: 5000, severity: "warning", summary },
    ]);
  });

  describe("of a client that counts what waits as open", () => {
    const countsQueued = (inFlight: number, open: readonly number[], connections = 1) =>
      judge(
        streamExhaustion,
        {
          xray: limited(MOST),
          upstreamCalls: someUpstreamCalls({
            polls: [full, 0].map((ageMs) => ({
              at: NOW - ageMs,
              ...aChannelGroup({
                countsQueued: true,
                callsStarted: inFlight,
                remotes: Object.fromEntries(
                  open.map((streams, index) => [
                    `10.0.1.${index}`,
                    { open: streams, started: 7, connections, failing: false },
                  ]),
                ),
              }),
            })),
          }),
        },
        { target: "inventory" },
      );

    it.each<[string, Parameters<typeof countsQueued>]>([
      ["as many are open as the limit lets", [100, [100]]],
      ["they are on two connections", [150, [150], 2]],
      ["one of its connections has room", [230, [140, 90]]],
      ["calls wait for a connection", [130, [100]]],
      ["its streams are more than its calls", [100, [130]]],
    ])("is silent when %s", (_when, told) => {
      expect(countsQueued(...told)).toEqual([]);
    });

    it("takes more than the limit for what waits", () => {
      expect(countsQueued(128, [128])).toMatchObject([
        {
          severity: "critical",
          summary:
            "All 1 connections of the app to inventory have had the 100 streams that it allows for 15 s, and 28 calls wait",
          evidence: { openStreams: 100, inFlight: 128, queued: 28 },
        },
      ]);
    });
  });

  it("tells that all connections are full and calls wait", () => {
    expect(atClient(busy)).toEqual([
      {
        subject: { side: "client", upstream: "inventory" },
        severity: "critical",
        witnesses: ["preflight", "channelz-client"],
        summary:
          "All 2 connections of the app to inventory have had the 100 streams that it allows for 15 s, and 30 calls wait",
        evidence: {
          maxConcurrentStreams: 100,
          openStreams: 200,
          fullConnections: 2,
          connections: 2,
          inFlight: 230,
          queued: 30,
          use: "held",
          fullSeconds: 15,
        },
      },
    ]);
    const young = [{ ...busy[0], ageMs: full - 1 }, busy[1]] as typeof busy;
    expect(atClient(young)?.map(({ severity }) => severity)).toEqual(["warning"]);
  });
});

describe("by metrics alone", () => {
  const scrapes = (counts: readonly number[]): readonly AppScrape[] =>
    series(counts.length, 15 * SECOND, (at, index) => ({
      at,
      started: 1000 + (counts[index] ?? 0),
      handledByCode: { OK: 1000 },
    }));
  const byMetrics = (counts: readonly number[], most = MOST) =>
    judge(streamExhaustion, {
      xray: limited(most),
      appCalls: someAppCalls({ scrapes: scrapes(counts) }),
    });

  it.each([
    ["calls in flight stand beside a multiple", [150, 150, 150, 150, 150]],
    ["they move", [200, 200, 204, 200, 200]],
    ["nothing is in flight", [0, 0, 0, 0, 0]],
  ])("is silent when %s", (_when, counts) => {
    expect(byMetrics(counts)).toEqual([]);
  });

  it("is silent about many calls near one of many multiples: any number is", () => {
    expect(byMetrics([2500, 2500, 2505, 2500, 2500])).toEqual([]);
    expect(byMetrics([2500, 2500, 2504, 2500, 2500])).toHaveLength(1);
    expect(byMetrics([2496, 2504, 2496, 2504, 2496], 8)).toEqual([]);
  });

  it("does not judge a limit whose multiples are nearly all numbers", () => {
    expect(byMetrics([6, 6, 6, 6, 6], 3)).toBeUndefined();
  });

  it("does not judge less than a minute", () => {
    expect(byMetrics([200, 200, 200, 200])).toBeUndefined();
  });

  it("warns of calls in flight that stand still at a multiple of the limit", () => {
    expect(byMetrics([200, 203, 200, 197, 200])).toEqual([
      {
        subject: { side: "server" },
        severity: "warning",
        witnesses: ["preflight", "metrics"],
        summary:
          "200 calls have been in flight for 60 s, a multiple of the 100 streams that the server allows per connection",
        evidence: { maxConcurrentStreams: 100, inFlight: 200, fullSeconds: 60 },
      },
    ]);
  });
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(streamExhaustion)).toEqual(factsDeclared(streamExhaustion));
});
