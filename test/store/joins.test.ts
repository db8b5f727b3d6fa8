import { expect, it } from "vitest";
import type { ChannelFacts, SubchannelFacts } from "../../src/model/channelz.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { Observation } from "../../src/model/observation.ts";
import { createStore } from "../../src/store/store.ts";
import { folded } from "../support/folded.ts";
import {
  APP,
  aCycleAt,
  after,
  aLookupAt,
  aReadAt,
  aStore,
  targetIn,
  UPSTREAM,
} from "../support/observations.ts";
import { NOW, someRemoteRows } from "../support/snapshot.ts";

const TARGET = "dns:///inventory.shop.svc:50051";
const A = "10.0.0.1";
const B = "10.0.0.2";

function subchannel(
  id: number,
  address: string,
  change: Partial<SubchannelFacts> = {},
): SubchannelFacts {
  return {
    id,
    state: "READY",
    target: `${address}:50051`,
    callsStarted: 0,
    callsSucceeded: 0,
    callsFailed: 0,
    remotes: [`${address}:50051`],
    openStreams: 0,
    ...change,
  };
}

function channel(id: number, change: Partial<ChannelFacts> = {}): ChannelFacts {
  return {
    id,
    state: "READY",
    target: TARGET,
    callsStarted: 0,
    callsSucceeded: 0,
    callsFailed: 0,
    subchannels: [],
    ...change,
  };
}

const cycle = (seconds: number, ...channels: readonly ChannelFacts[]) =>
  aCycleAt(seconds, { channels });
const rows = (seconds: number, ...remotes: readonly Parameters<typeof someRemoteRows>[0][]) =>
  aReadAt(seconds, { target: "inventory", remotes: remotes.map((row) => someRemoteRows(row)) });

function upstreamFact(fact: "peers" | "upstreamCalls", observations: readonly Observation[]) {
  const at = observations.at(-1)?.at ?? NOW;
  return targetIn(aStore(...observations).snapshot(at), "inventory").facts[fact];
}

const connected = (started: number) =>
  channel(1, { subchannels: [subchannel(2, A, { callsStarted: started })] });

it.each([
  ["go", {}],
  ["unknown", {}],
  ["grpc-js", { countsQueued: true }],
] as const)("knows whether a client of %s counts what waits as open", (implementation, told) => {
  const polled = aCycleAt(0, { implementation, channels: [connected(7)] });
  const attempts = { attempts: 7, attemptsFailed: 0, subchannels: 1 };
  const calls = { callsStarted: 0, callsSucceeded: 0, callsFailed: 0 };
  const remotes = { [A]: { open: 0, started: 7, connections: 1, failing: false } };
  const group = { channels: 1, states: { READY: 1 }, ...calls, ...attempts, remotes };
  expect(upstreamFact("upstreamCalls", [polled])).toEqual({
    state: "known",
    at: NOW,
    value: { from: "app", polls: [{ at: NOW, ...group, ...told }] },
  });
});

it.each<[string, readonly Observation[], object]>([
  ["nothing was seen", [aLookupAt(0, [A])], { state: "unknown", why: "not-yet" }],
  [
    "the app has no channel there",
    [cycle(0, channel(1, { target: "other:1" }))],
    { state: "unknown" },
  ],
  ["the kernel sees no row", [rows(0)], { value: { peers: [] } }],
  [
    "rows are only closing",
    [rows(0, { address: A, established: 0, timeWait: 3 })],
    { value: { peers: [] } },
  ],
  [
    "the kernel sees connections",
    [rows(0, { address: A, established: 2 })],
    {
      value: {
        peers: [{ address: A, connections: 2, seenBy: "kernel" }],
        only: { address: A, since: NOW },
      },
    },
  ],
  [
    "the kernel sees a connect without answer",
    [rows(0, { address: A, established: 0, synSent: 1, synRetransmits: 3 })],
    {
      value: {
        peers: [
          {
            address: A,
            connections: 0,
            seenBy: "kernel",
            failing: { by: "kernel", retransmits: 3 },
          },
        ],
      },
    },
  ],
  [
    "one poll of the app's channels came",
    [cycle(0, connected(7))],
    {
      value: { peers: [{ address: A, connections: 1, seenBy: "channelz-client" }] },
    },
  ],
  [
    "two polls came",
    [cycle(0, connected(7)), cycle(10, connected(9))],
    {
      value: { peers: [{ address: A, connections: 1, newStreams: 2, seenBy: "channelz-client" }] },
    },
  ],
  [
    "more polls came, of which the last two count",
    [
      cycle(0, connected(1)),
      cycle(10, connected(7)),
      cycle(20, connected(9)),
      cycle(30, connected(9)),
    ],
    {
      value: { peers: [{ address: A, connections: 1, newStreams: 2, seenBy: "channelz-client" }] },
    },
  ],
  [
    "a sub-channel fails",
    [
      cycle(
        0,
        channel(1, {
          subchannels: [subchannel(2, B, { state: "TRANSIENT_FAILURE", remotes: [] })],
        }),
      ),
    ],
    {
      value: {
        peers: [
          {
            address: B,
            connections: 0,
            seenBy: "channelz-client",
            failing: { by: "channelz-client" },
          },
        ],
      },
    },
  ],
  [
    "both see it",
    [cycle(0, connected(7)), rows(1, { address: A, established: 3 })],
    {
      value: { peers: [{ address: A, connections: 3, seenBy: "channelz-client" }] },
    },
  ],
  [
    "the kernel's read is older than the poll of the channels",
    [
      rows(0, { address: B, established: 2 }),
      cycle(20, connected(7)),
      rows(10, { address: B, established: 2 }),
    ],
    {
      value: {
        peers: [
          { address: B, connections: 2, seenBy: "kernel", seenAt: NOW + 10_000 },
          { address: A, connections: 1, seenBy: "channelz-client", seenAt: NOW + 20_000 },
        ],
      },
    },
  ],
])("joins the app's connections to an upstream when %s", (_when, observations, want) => {
  expect(upstreamFact("peers", observations)).toMatchObject(want);
});

it.each<[string, readonly Observation[], object | undefined]>([
  ["to nobody", [rows(0)], undefined],
  ["to two", [rows(0, { address: A }, { address: B })], undefined],
  [
    "to one all the time",
    [rows(0, { address: A }), rows(15, { address: A })],
    { address: A, since: NOW },
  ],
  [
    "to one now",
    [rows(0, { address: A }, { address: B }), rows(15, { address: A })],
    {
      address: A,
      since: after(15),
    },
  ],
  [
    "to another now",
    [rows(0, { address: A }), rows(15, { address: B })],
    { address: B, since: after(15) },
  ],
])("knows since when the app has connections to one address only: %s", (_how, reads, only) => {
  expect(folded("peers", reads)?.only).toEqual(only);
});

it.each<[string, string, readonly Observation[], boolean]>([
  ["by the same name", TARGET, [], true],
  ["by another scheme", "Inventory.shop.svc.:50051", [], true],
  ["by a short name", "inventory:50051", [], true],
  ["by a short name that points there", "inventory:50051", [aLookupAt(0, [A])], true],
  ["not by a short name that points elsewhere", "inventory:50051", [aLookupAt(0, [B])], false],
  ["not by another port", "inventory.shop.svc:1", [], false],
  ["not by a name that only begins alike", "invent:50051", [], false],
])("finds the app's channels of an upstream %s", (_how, target, before, isFound) => {
  const seen = [...before, cycle(1, { ...connected(7), target })];
  expect(upstreamFact("upstreamCalls", seen)?.state === "known").toBe(isFound);
});

it("tells poll by poll what the app's channels count, dead ones included", () => {
  const counted = (id: number, callsStarted: number, callsFailed: number) =>
    channel(id, { callsStarted, callsFailed, callsSucceeded: callsStarted - callsFailed });
  const seen = [
    cycle(0, counted(1, 10, 1), counted(2, 5, 0)),
    cycle(10, counted(2, 8, 2)),
    cycle(20, counted(2, 8, 2), counted(9, 4, 4)),
  ];
  const known = upstreamFact("upstreamCalls", seen);
  expect(known).toMatchObject({
    at: after(20),
    value: {
      from: "app",
      polls: [
        { at: NOW, channels: 2, callsStarted: 15, callsFailed: 1 },
        { at: after(10), channels: 1, callsStarted: 18, callsFailed: 3 },
        { at: after(20), channels: 2, callsStarted: 22, callsFailed: 7 },
      ],
    },
  });
});

it("counts a sub-channel that two channels share once", () => {
  const shared = subchannel(5, A, { callsStarted: 6, callsFailed: 2, openStreams: 1 });
  const seen = [
    cycle(0, channel(1, { subchannels: [shared] }), channel(2, { subchannels: [shared] })),
  ];
  expect(upstreamFact("upstreamCalls", seen)).toMatchObject({
    value: {
      polls: [
        {
          channels: 2,
          subchannels: 1,
          attempts: 6,
          attemptsFailed: 2,
          remotes: { [A]: { open: 1, started: 6, connections: 1, failing: false } },
        },
      ],
    },
  });
});

it("keeps the connections by address of six polls, and the counters of seventy", () => {
  const cycles = Array.from({ length: 80 }, (_, i) => cycle(10 * i, connected(i)));
  const polls = folded("channels", cycles)?.polls ?? [];
  const withRemotes = polls.filter(
    (poll) => Object.keys(poll.upstreams["inventory.shop.svc:50051"]?.remotes ?? {}).length > 0,
  );
  expect([polls.length, withRemotes.length]).toEqual([70, 6]);
});

it("keeps fifty upstreams, with the scheme that balances", () => {
  const many = Array.from({ length: 60 }, (_, i) => channel(i, { target: `xds:///b-${i}` }));
  const upstreams = folded("channels", [cycle(0, ...many)])?.polls[0]?.upstreams ?? {};
  expect(Object.keys(upstreams)).toHaveLength(50);
  expect(upstreams["b-0:443"]?.scheme).toBe("xds");
});

it("says why the app's calls to an upstream cannot be seen", () => {
  const blind: Observation = {
    source: "channelz",
    kind: "capability",
    target: "app",
    at: NOW,
    available: false,
    reason: "UNIMPLEMENTED",
  };
  const want = { state: "unavailable", reason: "UNIMPLEMENTED" };
  expect(upstreamFact("upstreamCalls", [blind])).toEqual(want);
});

it("grows old with what it is made of", () => {
  const store = aStore(cycle(0, connected(7)), rows(10, { address: A }));
  const states = (seconds: number) => {
    const { facts } = targetIn(store.snapshot(after(seconds)), "inventory");
    return [facts.upstreamCalls?.state, facts.peers?.state];
  };
  expect(states(25)).toEqual(["known", "known"]);
  expect(states(25.001)).toEqual(["unknown", "known"]);
  expect(states(47.501)).toEqual(["unknown", "unknown"]);
});

it("marks channels that share a sub-channel with those of another target", () => {
  const shared = subchannel(2, A, { callsStarted: 4 });
  const apart = channel(5, { target: "apart:1", subchannels: [subchannel(6, B)] });
  const channels = [
    channel(1, { subchannels: [shared] }),
    channel(3, { target: "other:1", subchannels: [shared] }),
    apart,
  ];
  const known = targetIn(aStore(cycle(0, ...channels)).snapshot(NOW), "app").facts["channels"];
  const groups = Object.values(
    (known as { value: Facts["channels"] }).value.polls[0]?.upstreams ?? {},
  );
  expect(groups.map(({ isShared, attempts }) => [isShared, attempts])).toEqual([
    [true, 4],
    [true, 4],
    [undefined, 0],
  ]);
});

it("is of the app whose channels lead there, wherever that one stands among them", () => {
  const store = createStore({ startedAt: NOW });
  store.register({ ...APP, name: "proxy" }, NOW);
  store.register(APP, NOW);
  store.register(UPSTREAM, NOW);
  const elsewhere = channel(1, { target: "dns:///other.shop.svc:50051", callsStarted: 900 });
  const used = (callsStarted: number) => channel(1, { callsStarted });
  store.append(aCycleAt(0, { target: "proxy", channels: [elsewhere] }));
  store.append(aCycleAt(1, { channels: [used(5)] }));
  store.append(aCycleAt(10, { target: "proxy", channels: [elsewhere] }));
  store.append(aCycleAt(11, { channels: [used(8)] }));
  const fact = targetIn(store.snapshot(after(11)), "inventory").facts.upstreamCalls;
  expect(fact).toMatchObject({
    state: "known",
    value: { from: "app", polls: [{ callsStarted: 5 }, { callsStarted: 8 }] },
  });
});
