import { expect, it } from "vitest";
import { dnsStale } from "../../src/detectors/dns-stale.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Peer } from "../../src/model/facts/peers.ts";
import type { ReachRun } from "../../src/model/facts/reach.ts";
import type { Resolution, SeenAddress } from "../../src/model/facts/resolution.ts";
import {
  aBlindPeer,
  aPeer,
  aReach,
  aResolution,
  aSeenAddress,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  NOW,
  SECOND,
  somePeers,
  someSurroundings,
} from "../support/snapshot.ts";

const absent = dnsStale.limits.absent.default;
const absentBlind = dnsStale.limits.absentBlind.default;
const name = "inventory.shop.svc";
const gone = (change: Change<SeenAddress> = {}) =>
  aSeenAddress({ at: NOW - absent - 1, missed: 3, ...change });
const resolutionOf = (change: Change<Resolution>, left: Change<SeenAddress> = {}) => ({
  resolution: aResolution({
    seen: { "10.0.0.1": gone(left), "10.0.0.9": aSeenAddress() },
    highestTtlMs: 0,
    ...change,
  }),
});
const peer = (change: Change<Peer> = {}) => aPeer({ address: "10.0.0.1", ...change });
const peersOf = (...peers: Peer[]) => ({ peers: somePeers({ peers }) });
/** Each test changes one thing of it. */
const sick: Change<Facts> = { ...resolutionOf({}), ...peersOf(peer()) };
const judged = (change: Change<Facts>) => judge(dnsStale, { ...sick, ...change });

const run = (change: Change<ReachRun> = {}): ReachRun => ({
  outcome: "connected",
  since: NOW - SECOND,
  lastAt: NOW,
  count: 2,
  ...(change as Partial<ReachRun>),
});
const refused = (change: Change<ReachRun> = {}) =>
  run({ outcome: "refused", errno: "ECONNREFUSED", ...change });
const reachOf = (stale: ReachRun, current = run()) => ({
  reach: aReach({ runs: { "10.0.0.1:50051": stale, "10.0.0.9:50051": current } }),
});
const currentAccepts = { reach: aReach({ runs: { "10.0.0.9:50051": run() } }) };
/** Two answers lack it: too few for an address that works, enough for one that fails. */
const left = resolutionOf({}, { at: NOW - 2 * SECOND, missed: 2 });
const lostBy = (failing: Peer["failing"]) => ({
  ...left,
  ...currentAccepts,
  ...peersOf(peer({ failing })),
});

const warning = {
  subject: { name },
  severity: "warning",
  witnesses: ["dns", "channelz-client"],
  summary: "DNS last returned 10.0.0.1 60 s ago, yet the app still uses it",
  evidence: {
    staleAddresses: ["10.0.0.1"],
    currentAddresses: ["10.0.0.9"],
    absentSeconds: 60.001,
    limitSeconds: 60,
    ttlSeconds: 0,
    connections: 1,
    newStreams: 10,
    absentSinceAt: "2026-01-15T11:58:59.999Z",
  },
};
const critical = {
  ...warning,
  severity: "critical",
  summary: "DNS last returned 10.0.0.1 2 s ago, yet the app still uses it, and it fails",
  evidence: { ...warning.evidence, absentSeconds: 2, absentSinceAt: "2026-01-15T11:59:58.000Z" },
};
const refusedSymptom = {
  ...critical,
  witnesses: ["dns", "channelz-client", "preflight"],
  evidence: { ...critical.evidence, errno: "ECONNREFUSED" },
};
const { newStreams: _blind, ...blindEvidence } = warning.evidence;

it.each<[string, Change<Facts>]>([
  ["the address is in the latest answer", resolutionOf({}, { at: NOW, missed: 0 })],
  ["it left DNS exactly one limit ago", resolutionOf({}, { at: NOW - absent })],
  ["fewer than three answers lack it", resolutionOf({}, { missed: 2 })],
  ["twice the TTL has not passed", resolutionOf({ highestTtlMs: absent })],
  ["it came back after such an absence", resolutionOf({}, { longestGapMs: absent })],
  [
    "another address of the set rotates so slowly",
    resolutionOf({
      seen: { "10.0.0.1": gone(), "10.0.0.9": aSeenAddress({ longestGapMs: absent }) },
    }),
  ],
  [
    "the app was last seen to use it one limit after it left, and nobody looked since",
    {
      ...resolutionOf({}, { at: NOW - 10 * absent }),
      ...peersOf(peer({ seenAt: NOW - 9 * absent })),
    },
  ],
  ["it gets no new streams", peersOf(peer({ newStreams: 0 }))],
  ["the app has no connection to it", peersOf(peer({ connections: 0 }))],
  [
    "streams cannot be seen and their limit just passed",
    {
      ...resolutionOf({}, { at: NOW - absentBlind }),
      ...peersOf(aBlindPeer({ address: "10.0.0.1" })),
    },
  ],
  ["DNS has been silent since", resolutionOf({ answeredAt: NOW - 1 })],
  ["no answer ever held the address", peersOf(peer({ address: "10.0.0.7" }))],
  [
    "a proxy of the pod is in between",
    {
      ...resolutionOf({ seen: { "127.0.0.1": gone() } }),
      ...peersOf(peer({ address: "127.0.0.1" })),
    },
  ],
  [
    "a proxy listens on ::1",
    { ...resolutionOf({ seen: { "::1": gone() } }), ...peersOf(peer({ address: "::1" })) },
  ],
  [
    "it refuses, but only one answer lacks it",
    { ...resolutionOf({}, { at: NOW - SECOND, missed: 1 }), ...reachOf(refused()) },
  ],
  [
    "it refuses, but the app was not seen to use it since it left",
    { ...left, ...reachOf(refused()), ...peersOf(peer({ seenAt: NOW - 2 * SECOND })) },
  ],
  ["it refuses, as all do", { ...left, ...reachOf(refused(), refused()) }],
  ["it refused once only", { ...left, ...reachOf(refused({ count: 1 })) }],
  ["it does not refuse but is silent", { ...left, ...reachOf(refused({ outcome: "timeout" })) }],
  ["one packet to it was lost", lostBy({ by: "kernel", retransmits: 1 })],
  ["nobody counted what was lost", lostBy({ by: "kernel" })],
  [
    "it fails, but nobody knows a better one",
    { ...lostBy({ by: "channelz-client" }), reach: undefined },
  ],
])("is silent when %s", (_when, change) => {
  expect(judged(change)).toEqual([]);
});

it.each<[string, Change<Facts>]>([
  ["a mesh answers for all", { surroundings: someSurroundings({ mesh: true }) }],
  ["the name was never answered", resolutionOf({ answeredAt: undefined })],
  ["there were only two answers", resolutionOf({ answeredInRow: 2 })],
])("does not judge when %s", (_when, change) => {
  expect(judged(change)).toBeUndefined();
});

it("does not judge a name that was never resolved", () => {
  expect(judge(dnsStale, peersOf(peer()))).toBeUndefined();
});

it.each<[string, Change<Facts>, object]>([
  ["it takes new streams", {}, warning],
  ["three answers suffice", resolutionOf({ answeredInRow: 3 }), warning],
  ["the surroundings are plain", { surroundings: someSurroundings() }, warning],
  [
    "streams cannot be seen and more than their limit passed",
    {
      ...resolutionOf({}, { at: NOW - absentBlind - 1 }),
      ...peersOf(aBlindPeer({ address: "10.0.0.1" })),
    },
    {
      ...warning,
      witnesses: ["dns", "kernel"],
      summary: "DNS last returned 10.0.0.1 180 s ago, yet the app still uses it",
      evidence: {
        ...blindEvidence,
        absentSeconds: 180.001,
        limitSeconds: 180,
        absentSinceAt: "2026-01-15T11:56:59.999Z",
      },
    },
  ],
  [
    "the TTL is long, and passed twice",
    resolutionOf({ highestTtlMs: 45 * SECOND }, { at: NOW - 91 * SECOND }),
    {
      ...warning,
      summary: "DNS last returned 10.0.0.1 91 s ago, yet the app still uses it",
      evidence: {
        ...warning.evidence,
        absentSeconds: 91,
        limitSeconds: 90,
        ttlSeconds: 45,
        absentSinceAt: "2026-01-15T11:58:29.000Z",
      },
    },
  ],
  [
    "a rotating set has not brought it back for thrice its longest gap",
    resolutionOf({}, { at: NOW - 91 * SECOND, longestGapMs: 30 * SECOND }),
    {
      ...warning,
      summary: "DNS last returned 10.0.0.1 91 s ago, yet the app still uses it",
      evidence: {
        ...warning.evidence,
        absentSeconds: 91,
        limitSeconds: 90,
        absentSinceAt: "2026-01-15T11:58:29.000Z",
      },
    },
  ],
  ["it refuses and a current one accepts", { ...left, ...reachOf(refused()) }, refusedSymptom],
  [
    "it refuses and has no connection left",
    { ...left, ...reachOf(refused()), ...peersOf(peer({ connections: 0 })) },
    { ...refusedSymptom, evidence: { ...refusedSymptom.evidence, connections: 0 } },
  ],
  [
    "it refuses, without an errno",
    { ...left, ...reachOf({ outcome: "refused", since: NOW - SECOND, lastAt: NOW, count: 2 }) },
    { ...critical, witnesses: refusedSymptom.witnesses },
  ],
  ["its channel fails", lostBy({ by: "channelz-client" }), critical],
  [
    "connects to it stay without answer",
    lostBy({ by: "kernel", retransmits: 2 }),
    { ...critical, witnesses: ["dns", "channelz-client", "kernel"] },
  ],
])("reports it when %s", (_when, change, expected) => {
  expect(judged(change)).toEqual([expected]);
});

it("reports one name once, its worst address first", () => {
  const seen = {
    "10.0.0.1": gone({ at: NOW - 70 * SECOND }),
    "10.0.0.2": gone({ at: NOW - 90 * SECOND }),
    "10.0.0.3": gone({ at: NOW - 65 * SECOND }),
    "10.0.0.4": gone({ at: NOW - 70 * SECOND }),
  };
  const symptoms = judged({
    ...resolutionOf({ seen }),
    ...currentAccepts,
    ...peersOf(
      peer(),
      peer({ address: "10.0.0.2" }),
      peer({ address: "10.0.0.3", failing: { by: "channelz-client" } }),
      peer({ address: "10.0.0.4", connections: 4, newStreams: undefined, seenBy: "kernel" }),
      peer({ address: "10.0.0.4", connections: 2 }),
    ),
  });
  expect(symptoms).toEqual([
    {
      ...critical,
      summary: "DNS last returned 10.0.0.3 65 s ago, yet the app still uses it, and it fails",
      evidence: {
        ...critical.evidence,
        staleAddresses: ["10.0.0.3", "10.0.0.2", "10.0.0.4", "10.0.0.1"],
        absentSeconds: 65,
        connections: 5,
        newStreams: 40,
        absentSinceAt: "2026-01-15T11:58:55.000Z",
      },
    },
  ]);
});

it("reads what it declares", () => {
  expect(factsRead(dnsStale)).toEqual(factsDeclared(dnsStale));
});
