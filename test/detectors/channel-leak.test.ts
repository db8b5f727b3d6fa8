import { describe, expect, it } from "vitest";
import { channelLeak } from "../../src/detectors/channel-leak.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { OutboundMinute, RemoteMinute } from "../../src/model/facts/outbound.ts";
import {
  aChannelGroup,
  anExpectation,
  anOutbound,
  anUpstreamExpectation,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  SECOND,
  series,
  someChannels,
  someSurroundings,
  someUpstreamCalls,
} from "../support/snapshot.ts";

const UPSTREAM = "inventory.shop.svc:50051";

/** The number of channels to one upstream in each poll of 10 s over 11 minutes. */
const channels = (countAt: (index: number) => number) =>
  someChannels({
    polls: series(67, 10 * SECOND, (at, index) => ({
      at,
      upstreams: { [UPSTREAM]: aChannelGroup({ channels: countAt(index) }) },
    })),
  });

/** Channels with one remote, whose streams are few or as many as its connections. */
const groupOf = (open: number) =>
  aChannelGroup({
    remotes: { "10.0.0.9": { open, started: 900, connections: 64, failing: false } },
  });

const carrying = (open: number) =>
  someChannels({
    polls: series(67, 10 * SECOND, (at) => ({
      at,
      upstreams: { "inventory:50051": groupOf(open) },
    })),
  });

const leaking = channels((index) => 1 + Math.floor(index / 3));

/** The rows towards one remote, minute by minute, over 11 minutes. */
const rows = (
  of: (index: number) => Partial<RemoteMinute>,
  knownAs: Facts["outbound"]["knownAs"] = { "10.0.0.9:50051": "dns:///inventory:50051" },
) =>
  anOutbound({
    minutes: series(12, MINUTE, (at, index): OutboundMinute => {
      const remote = { established: 0, timeWait: 0, newPorts: 0, ...of(index) };
      return { at, to: at, remotes: [{ address: "10.0.0.9", port: 50_051, ...remote }] };
    }),
    knownAs,
  });

const piling = (index: number) => ({ established: 20 + 4 * index });

const judged = (facts: Partial<Facts>) =>
  judge(channelLeak, { expectation: anExpectation(), ...facts });

describe("is silent", () => {
  it.each<[string, Partial<Facts>]>([
    ["one channel that is kept", { channels: channels(() => 1) }],
    [
      "a gateway with a channel for each user, and a call on half of them at least",
      {
        channels: someChannels({
          polls: series(67, 10 * SECOND, (at, i) => {
            const calls = { callsStarted: 11 + i, callsSucceeded: 5, callsFailed: 5 };
            return { at, upstreams: { [UPSTREAM]: aChannelGroup({ channels: 2 + i, ...calls }) } };
          }),
        }),
      },
    ],
    [
      "connections that carry a call each, as the app's channels tell",
      { outbound: rows(piling), channels: carrying(32) },
    ],
    ["a large pool that does not grow", { channels: channels(() => 300) }],
    ["a pool that was filled at the start", { channels: channels((i) => Math.min(50, 5 * i)) }],
    ["growth by less than the limit", { channels: channels((i) => 1 + Math.floor(i / 4)) }],
    [
      "channels that are made and closed in turn",
      { channels: channels((i) => (i % 4 === 0 ? 1 : 20 + i)) },
    ],
    ["an app younger than the window", { channels: someChannels() }],
    [
      "a hundred connections that do not become more",
      { outbound: rows(() => ({ established: 100 })) },
    ],
    ["growth that ended", { outbound: rows((i) => ({ established: Math.min(60, 20 + 8 * i) })) }],
    ["few connections that become more", { outbound: rows((i) => ({ established: 4 * i })) }],
    [
      "closed connections, one read long",
      { outbound: rows((i) => ({ timeWait: i === 11 ? 6000 : 0 })) },
    ],
    ["as many closed connections as allowed", { outbound: rows(() => ({ timeWait: 5000 })) }],
    ["no rows at all", { outbound: anOutbound({ minutes: [] }) }],
  ])("about %s", (_what, facts) => {
    expect(judged(facts)).toEqual([]);
  });
});

describe("does not judge", () => {
  it("without channels and rows", () => {
    expect(judged({})).toBeUndefined();
  });

  it("many channels, or many connections, that it has not watched for the window", () => {
    const before =
      (ms: number) =>
      <P extends { readonly at: number }>(one: P) =>
        one.at > NOW - ms;
    const many = channels(() => 21);
    const lately = { ...many, polls: many.polls.filter(before(10 * MINUTE)) };
    expect(judged({ channels: lately })).toBeUndefined();
    const outbound = rows(() => ({ established: 51 }));
    const minutes = outbound.minutes.filter(before(10 * MINUTE));
    expect(judged({ outbound: { ...outbound, minutes } })).toBeUndefined();
    expect(judged({ channels: many, outbound })).toEqual([]);
  });

  it("rows under a mesh: they are the proxy's", () => {
    const surroundings = someSurroundings({ mesh: true });
    expect(judged({ outbound: rows(piling), surroundings })).toBeUndefined();
  });
});

describe("speaks", () => {
  it("of channels that are made and not kept", () => {
    expect(judged({ channels: leaking })).toEqual([
      {
        subject: { upstream: UPSTREAM },
        severity: "warning",
        witnesses: ["channelz-client"],
        isDeterministic: false,
        summary: `The app has 23 channels to ${UPSTREAM}, 20 more than 10 min ago, and goes on making them`,
        evidence: { channels: 23, growth: 20, windowSeconds: 600, knownAsGrpc: true },
      },
    ]);
  });

  it("of connections that pile up, by the name that the app's channel gives them", () => {
    expect(judged({ outbound: rows(piling), channels: carrying(31) })).toEqual([
      {
        subject: { upstream: "inventory:50051" },
        severity: "warning",
        witnesses: ["kernel"],
        isDeterministic: true,
        summary: "The app has 64 connections, 40 more than 10 min ago, to inventory:50051",
        evidence: {
          connections: 64,
          timeWait: 0,
          growth: 40,
          windowSeconds: 600,
          knownAsGrpc: true,
        },
      },
    ]);
  });

  it("of closed connections that the kernel still remembers", () => {
    const [found] = judged({ outbound: rows(() => ({ timeWait: 5001 })) }) ?? [];
    expect(found?.summary).toBe(
      "The app has 5001 closed connections in TIME_WAIT to inventory:50051",
    );
  });

  it("as critical above the limit", () => {
    expect(judged({ channels: channels((i) => 140 + i) })).toMatchObject([
      { severity: "critical" },
    ]);
    const many = rows((i) => ({ established: 180 + 4 * i }));
    expect(judged({ outbound: many, channels: carrying(31) })).toMatchObject([
      { severity: "critical" },
    ]);
    const closed = rows(() => ({ established: 201, timeWait: 5001 }));
    expect(judged({ outbound: closed })).toMatchObject([{ severity: "critical" }]);
  });

  it.each([
    ["an info: a gateway may have one for each user", 156, "info"],
    ["a warning where they are very many", 157, "warning"],
  ] as const)(
    "of connections that the kernel alone tells as %s",
    (_what, established, severity) => {
      const outbound = rows((i) => ({ established: established + 4 * i }));
      expect(judged({ outbound })).toMatchObject([{ severity }]);
    },
  );

  it("only as info of a remote that may be a database", () => {
    expect(judged({ outbound: rows(piling, {}) })).toMatchObject([
      {
        subject: { upstream: "10.0.0.9:50051" },
        severity: "info",
        summary:
          "The app has 64 connections, 40 more than 10 min ago, to 10.0.0.9:50051, which is not known to be gRPC",
        evidence: { knownAsGrpc: false },
      },
    ]);
  });

  it("of a configured upstream by its own name", () => {
    const expectation = anUpstreamExpectation({ address: "dns:///stock.svc:50051" });
    expect(judge(channelLeak, { expectation, outbound: rows(piling, {}) })).toMatchObject([
      { subject: { upstream: "stock.svc:50051" }, severity: "info" },
    ]);
    const upstreamCalls = someUpstreamCalls({
      polls: series(67, 10 * SECOND, (at) => ({ ...groupOf(31), at })),
    });
    const facts = { expectation, upstreamCalls, outbound: rows(piling, {}) };
    expect(judge(channelLeak, facts)).toMatchObject([{ severity: "warning" }]);
  });

  it("once where channels and rows tell the same", () => {
    const outbound = rows(piling, { "10.0.0.9:50051": `dns:///${UPSTREAM}` });
    expect(judged({ channels: leaking, outbound })).toMatchObject([
      { subject: { upstream: UPSTREAM }, witnesses: ["channelz-client"] },
    ]);
  });
});

it("reads what it declares", () => {
  judged({ channels: leaking, outbound: rows(piling), surroundings: someSurroundings() });
  expect(factsRead(channelLeak)).toEqual(factsDeclared(channelLeak));
});
