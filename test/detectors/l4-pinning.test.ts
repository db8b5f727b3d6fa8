import { expect, it } from "vitest";
import { l4Pinning } from "../../src/detectors/l4-pinning.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Resolution } from "../../src/model/facts/resolution.ts";
import {
  aChannelGroup,
  aPeer,
  aReach,
  aResolution,
  aSeenAddress,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  SECOND,
  series,
  somePeers,
  someSurroundings,
  someUpstreamCalls,
} from "../support/snapshot.ts";

const { pinned, pinnedBlind, minCallRate } = l4Pinning.limits;
const name = "inventory.shop.svc";
const stable = aSeenAddress({ since: NOW - pinned.default - 1 });
const resolutionOf = (change: Change<Resolution> = {}) => ({
  resolution: aResolution({
    answers: ["10.0.0.8", "10.0.0.9"],
    seen: { "10.0.0.8": stable, "10.0.0.9": stable },
    ...change,
  }),
});
const onlyFor = (ms: number, address = "10.0.0.9") => ({
  peers: somePeers({ only: { address, since: NOW - ms } }),
});
/** So many calls a minute over the last minutes. */
const callsOf = (perMinute: number, polls = 67): Change<Facts> => ({
  upstreamCalls: someUpstreamCalls({
    polls: series(polls, 10 * SECOND, (at, index) => ({
      at,
      ...aChannelGroup({ callsStarted: (perMinute * index) / 6 }),
    })),
  }),
});
const dialled = (outcome: "connected" | "refused", ...addresses: string[]) => ({
  reach: aReach({
    runs: Object.fromEntries(
      addresses.map((address) => [
        `${address}:50051`,
        { outcome, since: NOW, lastAt: NOW, count: 1 },
      ]),
    ),
  }),
});
/** Each test changes one thing of it. */
const sick: Change<Facts> = {
  ...resolutionOf(),
  ...onlyFor(pinned.default + 1),
  ...callsOf(minCallRate.default),
};
const judged = (change: Change<Facts>) => judge(l4Pinning, { ...sick, ...change });

const warning = {
  subject: { name },
  severity: "warning",
  witnesses: ["dns", "channelz-client"],
  summary: `DNS offers 2 servers of ${name}, yet for 10 min the app has been connected to 10.0.0.9 alone`,
  evidence: {
    addresses: ["10.0.0.8", "10.0.0.9"],
    connectedTo: "10.0.0.9",
    connections: 1,
    pinnedSeconds: 600.001,
    callsPerMinute: 100,
  },
};
const { callsPerMinute: _unseen, ...unseen } = warning.evidence;
const info = {
  ...warning,
  severity: "info",
  witnesses: ["dns", "kernel"],
  summary: `DNS offers 2 servers of ${name}, yet for 15 min the app has been connected to 10.0.0.9 alone`,
  evidence: { ...unseen, pinnedSeconds: 900.001 },
};
const blind = { ...onlyFor(pinnedBlind.default + 1), upstreamCalls: undefined };

it.each<[string, Change<Facts>]>([
  ["the app has connections to several", { peers: somePeers() }],
  ["there are fewer calls", callsOf(minCallRate.default - 1)],
  [
    "there are fewer calls, soon",
    { ...onlyFor(pinned.default), ...callsOf(minCallRate.default - 1) },
  ],
  [
    "an address has been offered for exactly the limit",
    resolutionOf({
      seen: { "10.0.0.8": { ...stable, since: NOW - pinned.default }, "10.0.0.9": stable },
    }),
  ],
  ["an address was never seen before", resolutionOf({ seen: { "10.0.0.9": stable } })],
  ["the app is connected to a proxy", onlyFor(pinned.default + 1, "10.9.9.9")],
  ["the other address refuses", dialled("refused", "10.0.0.8")],
  ["no call is made at all", { ...blind, ...callsOf(0) }],
  [
    "a look-aside balancer chose it",
    {
      upstreamCalls: someUpstreamCalls({
        polls: someUpstreamCalls().polls.map((poll, index) =>
          index < 60 ? poll : { ...poll, scheme: "xds" },
        ),
      }),
    },
  ],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it.each<[string, Change<Facts>]>([
  ["the answer holds one address", resolutionOf({ answers: ["10.0.0.9"] })],
  ["a mesh balances", { surroundings: someSurroundings({ mesh: true }) }],
  ["the name was never resolved", { resolution: undefined }],
  ["it has been so for exactly the limit", onlyFor(pinned.default)],
  ["calls cannot be seen, for exactly their limit", { ...blind, ...onlyFor(pinnedBlind.default) }],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it.each<[string, Change<Facts>, object]>([
  ["every call goes to one address", {}, warning],
  ["the surroundings are plain", { surroundings: someSurroundings() }, warning],
  ["both addresses accept us", dialled("connected", "10.0.0.8", "10.0.0.9"), warning],
  ["an address that is offered no more refuses", dialled("refused", "10.0.0.7"), warning],
  ["the calls of exactly one minute are known", callsOf(minCallRate.default, 7), warning],
  ["the calls cannot be seen", blind, info],
  ["they have been counted for less than a minute", { ...blind, ...callsOf(1, 6) }, info],
  [
    "they have been counted for a moment less",
    {
      ...blind,
      upstreamCalls: someUpstreamCalls({
        polls: series(2, MINUTE - 1, (at) => ({ at, ...aChannelGroup() })),
      }),
    },
    info,
  ],
  ["the counters went backwards", { ...blind, ...callsOf(-60) }, info],
  ["no poll is left", { ...blind, ...callsOf(1, 0) }, info],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it("counts the calls of the limit's time only", () => {
  const polls = series(5, 5 * MINUTE, (at, index) => ({
    at,
    ...aChannelGroup({ callsStarted: [0, 100_000, 100_000, 101_000, 103_000][index] ?? 0 }),
  }));
  const symptoms = judged({ upstreamCalls: someUpstreamCalls({ polls }) });
  expect(symptoms?.map(({ evidence }) => evidence["callsPerMinute"])).toEqual([300]);
});

it("sees a rate in the shortest time that may be asked for, whenever the polls were", () => {
  const polls = series(10, 11 * SECOND, (at, index) => ({
    at: at - 3 * SECOND,
    ...aChannelGroup({ callsStarted: 22 * index }),
  }));
  const change = { ...sick, upstreamCalls: someUpstreamCalls({ polls }) };
  const symptoms = judge(l4Pinning, change, { limits: { pinned: pinned.min } });
  expect(symptoms?.map(({ severity, evidence }) => [severity, evidence["callsPerMinute"]])).toEqual(
    [["warning", 120]],
  );
});

it("asks for as many addresses as its limit says", () => {
  expect(judge(l4Pinning, sick, { limits: { addresses: 3 } })).toEqual([]);
});

it("sums the connections", () => {
  const peers = somePeers({
    only: { address: "10.0.0.9", since: NOW - pinned.default - 1 },
    peers: [aPeer({ connections: 2 }), aPeer({ connections: 3 })],
  });
  expect(judged({ peers })).toEqual([
    { ...warning, evidence: { ...warning.evidence, connections: 5 } },
  ]);
});

it("reads what it declares", () => {
  expect(factsRead(l4Pinning)).toEqual(factsDeclared(l4Pinning));
});
