import { expect, it } from "vitest";
import type { Observation } from "../../src/model/observation.ts";
import { createStore } from "../../src/store/store.ts";
import {
  aClosingAt,
  aCycleAt,
  after,
  aGoawayAt,
  anOpeningAt,
  anXrayAt,
  aReadAt,
  aRefusalAt,
  aServer,
  aStatusAt,
  aStore,
  targetIn,
} from "../support/observations.ts";
import { NOW, someTls } from "../support/snapshot.ts";
import { aTarget } from "../support/targets.ts";

const NO_ROWS = { listeners: [], listening: [] };
const rowOf = (...inodes: readonly number[]) => ({
  listeners: inodes.map((inode) => ({ address: "::", port: 50051, queued: 0, inode })),
});
const RESET_AT_ONCE = {
  dials: [
    {
      at: after(20),
      address: "127.0.0.1:50051",
      family: "ipv4",
      outcome: "error",
      errno: "ECONNRESET",
    },
  ],
  silence: "closed",
  outcome: "failed",
  phase: "tcp",
  reason: "connection_reset",
} as const;
const RUNNING = [aReadAt(0), anOpeningAt(0), aCycleAt(1, { server: aServer({ callsStarted: 9 }) })];

/** State, epoch and its beginning in seconds, as they are at an instant. */
function lifeAt(seconds: number, observations: readonly Observation[]) {
  const snapshot = aStore(...observations).snapshot(after(seconds));
  const { state, epoch, epochSince } = targetIn(snapshot);
  return { state, epoch, since: (epochSince - NOW) / 1000 };
}

function quietAt(seconds: number, observations: readonly Observation[]) {
  const { state, quietUntil } = targetIn(aStore(...observations).snapshot(after(seconds)));
  return { state, ...(quietUntil === undefined ? {} : { quietUntil: (quietUntil - NOW) / 1000 }) };
}

it.each<[string, readonly Observation[]]>([
  ["nothing was seen", []],
  ["it is refused", [aRefusalAt(1), aRefusalAt(6)]],
  ["a read finds no LISTEN row", [aReadAt(1, NO_ROWS)]],
  ["the rows are of another network namespace", [aReadAt(1, { sharesNetwork: false })]],
])("waits while %s", (_when, observations) => {
  expect(lifeAt(30, observations)).toEqual({ state: "waiting", epoch: 1, since: 0 });
});

it.each<[string, readonly Observation[]]>([
  ["a LISTEN row is seen", [aRefusalAt(1), aReadAt(20)]],
  ["a connect works", [aRefusalAt(1), anXrayAt(20)]],
  ["a connect is taken and reset at once", [aRefusalAt(1), anXrayAt(20, RESET_AT_ONCE)]],
  ["the kept connection opens", [aRefusalAt(1), anOpeningAt(20)]],
])("is watched, and its epoch begins, when %s", (_when, observations) => {
  expect(lifeAt(30, observations)).toEqual({ state: "watched", epoch: 1, since: 20 });
});

it("waits for nothing where no time to start is granted, as in one look", () => {
  const store = createStore({ startedAt: NOW });
  store.register(aTarget("127.0.0.1:50051", { startupMs: 0 }), NOW);
  store.append(aRefusalAt(1));
  expect(targetIn(store.snapshot(after(2))).state).toBe("watched");
});

it("never waits for an upstream", () => {
  const { state } = targetIn(aStore().snapshot(NOW), "inventory");
  expect(state).toBe("watched");
});

it.each<[string, readonly Observation[]]>([
  ["the row stays", [aReadAt(10)]],
  [
    "a row comes and one goes, as workers do",
    [aReadAt(10, rowOf(100, 200)), aReadAt(20, rowOf(200))],
  ],
  [
    "the kernel tells no inodes",
    [aReadAt(10, { listeners: [{ address: "::", port: 1, queued: 0 }] })],
  ],
  ["rows are of another network namespace", [aReadAt(10, { ...rowOf(7), sharesNetwork: false })]],
  ["the connection is lost and opened again", [aClosingAt(10), anOpeningAt(11), aRefusalAt(12)]],
  ["it is refused while the connection lives", [aRefusalAt(10)]],
  [
    "one address of two refuses after a loss",
    [
      aClosingAt(10),
      anXrayAt(11, {
        dials: [
          { at: after(11), address: "[::1]:50051", family: "ipv6", outcome: "refused" },
          { at: after(11), address: "127.0.0.1:50051", family: "ipv4", outcome: "connected" },
        ],
      }),
    ],
  ],
  ["the counters rise", [aCycleAt(11, { server: aServer({ callsStarted: 10 }) })]],
  ["a cycle cannot tell the server", [{ ...aCycleAt(11), server: undefined } as never]],
])("stays in its epoch when %s", (_when, observations) => {
  expect(lifeAt(30, [...RUNNING, ...observations])).toEqual({
    state: "watched",
    epoch: 1,
    since: 0,
  });
});

it.each<[string, readonly Observation[]]>([
  ["the row has another inode", [aReadAt(20, rowOf(200))]],
  ["the row went and one with another inode came", [aReadAt(10, NO_ROWS), aReadAt(20, rowOf(200))]],
  [
    "it is refused after a loss, and listens again",
    [aClosingAt(5), aRefusalAt(6), aReadAt(20, rowOf(200))],
  ],
  ["a counter went backwards", [aCycleAt(20, { server: aServer({ callsStarted: 8 }) })]],
  [
    "the server was created at another time",
    [aCycleAt(20, { server: aServer({ callsStarted: 9, createdAt: NOW }) })],
  ],
  [
    "all signs come one after the other",
    [aClosingAt(5), aRefusalAt(6), anOpeningAt(20), aReadAt(21, rowOf(200)), aCycleAt(22)],
  ],
])("begins one new epoch when %s", (_when, observations) => {
  expect(lifeAt(30, [...RUNNING, ...observations])).toEqual({
    state: "watched",
    epoch: 2,
    since: 20,
  });
});

it.each<[string, readonly Observation[]]>([
  ["GOAWAY ends an old connection", [aGoawayAt(10, "max_age")]],
  ["GOAWAY ends an idle connection", [aGoawayAt(10, "max_idle")]],
  [
    "GOAWAY carries an error",
    [{ ...aGoawayAt(10), goaway: { at: after(10), code: 11, debugText: "too_many_pings" } }],
  ],
  ["the row is lost while it serves", [aStatusAt(5), aReadAt(10, NO_ROWS)]],
  [
    "one of two services is NOT_SERVING and the row is lost",
    [
      aStatusAt(5, { service: "a" }),
      aStatusAt(6, { service: "b", status: "NOT_SERVING" }),
      aReadAt(10, NO_ROWS),
    ],
  ],
  ["it is NOT_SERVING and nothing else", [aStatusAt(5, { status: "NOT_SERVING" })]],
])("sees no drain when %s", (_when, observations) => {
  expect(quietAt(11, [...RUNNING, ...observations])).toEqual({ state: "watched" });
});

it.each<[string, readonly Observation[]]>([
  ["GOAWAY has no error", [aGoawayAt(10, "graceful_stop")]],
  [
    "GOAWAY follows NOT_SERVING",
    [aStatusAt(5, { status: "NOT_SERVING" }), aGoawayAt(10, "max_age")],
  ],
  [
    "the row is lost after NOT_SERVING",
    [aStatusAt(5, { status: "NOT_SERVING" }), aReadAt(10, NO_ROWS)],
  ],
  [
    "it was told",
    [{ source: "drain", kind: "signal", target: "app", at: after(10), by: "command" }],
  ],
])("drains with a grace of 60 s when %s", (_when, observations) => {
  expect(quietAt(11, [...RUNNING, ...observations])).toEqual({ state: "draining", quietUntil: 70 });
});

/** GOAWAYs, each a second after the connection that it ends was opened. */
const cutAt = (seconds: number, debugText = "") => [
  anOpeningAt(seconds - 1),
  aGoawayAt(seconds, debugText),
];

it("takes the third GOAWAY in a row to a young connection for no stop", () => {
  const two = [...RUNNING, ...cutAt(100), ...cutAt(200)];
  expect(quietAt(201, two)).toEqual({ state: "draining", quietUntil: 260 });
  expect(quietAt(301, [...two, ...cutAt(300)])).toEqual({ state: "watched" });
  expect(quietAt(401, [...two, ...cutAt(300), ...cutAt(400)])).toEqual({ state: "watched" });
});

it.each<[string, readonly Observation[]]>([
  ["a connection lived in between", [anOpeningAt(240), aGoawayAt(300), ...cutAt(400)]],
  ["the connection is old", [anOpeningAt(240), aGoawayAt(400)]],
  ["it had declared itself unfit", [aStatusAt(390, { status: "NOT_SERVING" }), ...cutAt(400)]],
  ["another process has come", [aReadAt(300, rowOf(200)), ...cutAt(400)]],
  ["it says graceful_stop", cutAt(400, "graceful_stop")],
])("sees a stop in the third GOAWAY where %s", (_what, observations) => {
  const course = [...RUNNING, ...cutAt(100), ...cutAt(200), ...observations];
  expect(quietAt(401, course)).toEqual({ state: "draining", quietUntil: 460 });
});

it("sees a stop in the third GOAWAY more than five minutes after the second", () => {
  const two = [...RUNNING, ...cutAt(100), ...cutAt(200)];
  expect(quietAt(501, [...two, ...cutAt(500)])).toEqual({ state: "watched" });
  expect(quietAt(502, [...two, ...cutAt(501)])).toEqual({ state: "draining", quietUntil: 561 });
});

const TOLD = {
  source: "drain",
  kind: "signal",
  target: "app",
  at: after(10),
  by: "command",
} as const;

it.each<[string, number, readonly Observation[]]>([
  ["a sign is seen in its grace", 70, [aGoawayAt(10), aGoawayAt(60)]],
  ["it was only inferred and the grace is over", 70, [aGoawayAt(10)]],
  ["a new process listens", 20, [aGoawayAt(10), aReadAt(20, rowOf(200))]],
  ["it was told, and listens on after the grace", 71, [TOLD, aReadAt(71)]],
  ["it was told, and nothing is seen for 10 min", 610, [TOLD]],
])("ends its drain when %s", (_when, seconds, observations) => {
  expect(quietAt(seconds, [...RUNNING, ...observations])).toEqual({ state: "watched" });
});

const MUTE = { outcome: "failed", settings: undefined } as const;

it.each<[string, readonly Observation[]]>([
  ["a fresh connection is served after the GOAWAY", [aGoawayAt(10), aReadAt(15), anXrayAt(16)]],
  [
    "it is answered by a proxy whose backend is gone",
    [aGoawayAt(10), anXrayAt(16, { outcome: "failed", phase: "rpc", reason: "not_http2" })],
  ],
  [
    "it is answered with a certificate that has expired",
    [aGoawayAt(10), anXrayAt(16, { ...MUTE, spoke: "tls", tls: someTls() })],
  ],
])("takes a GOAWAY alone for no drain once %s", (_when, observations) => {
  expect(quietAt(17, [...RUNNING, ...observations])).toEqual({ state: "watched" });
});

it.each<[string, readonly Observation[]]>([
  ["the fresh connection began before", [aGoawayAt(10), anXrayAt(9)]],
  ["the fresh connection is not answered", [aGoawayAt(10), anXrayAt(16, MUTE)]],
  [
    "the fresh connection has a GOAWAY of its own",
    [aGoawayAt(10), anXrayAt(16, { goaway: { at: after(16), code: 0, debugText: "" } })],
  ],
  [
    "it had declared itself unfit",
    [aStatusAt(5, { status: "NOT_SERVING" }), aGoawayAt(10), anXrayAt(16)],
  ],
  ["it was told to stop", [TOLD, anXrayAt(16)]],
])("drains on though the port takes connections: %s", (_when, observations) => {
  const { state } = targetIn(aStore(...RUNNING, ...observations).snapshot(after(17)));
  expect(state).toBe("draining");
});

const mayServeAt = (seconds: number, observations: readonly Observation[]) =>
  targetIn(aStore(...RUNNING, ...observations).snapshot(after(seconds))).mayServe;

it("wants a fresh look at what listens on five seconds after a GOAWAY, and at nothing else", () => {
  const unfit = aStatusAt(5, { status: "NOT_SERVING" });
  expect(mayServeAt(14, [aGoawayAt(10)])).toBe(undefined);
  expect(mayServeAt(15, [aGoawayAt(10), aReadAt(14, NO_ROWS)])).toBe(undefined);
  expect(mayServeAt(15, [unfit, aGoawayAt(10)])).toBe(undefined);
  expect(mayServeAt(15, [TOLD])).toBe(undefined);
  expect(mayServeAt(15, [aGoawayAt(10)])).toBe(true);
});

it("goes on draining beyond the grace when it was told and its row is gone", () => {
  expect(quietAt(300, [...RUNNING, TOLD, aReadAt(20, NO_ROWS)])).toEqual({ state: "draining" });
});

const IDLE = { ...NO_ROWS, inbound: { ...aReadAt(0).inbound, established: 0 } };

it.each<[string, readonly Observation[]]>([
  ["no client is connected", [aReadAt(65, IDLE)]],
  ["it listens", [aReadAt(65)]],
  ["the grace was over before", [aReadAt(71, NO_ROWS)]],
])("drains no longer than the grace where %s", (_when, observations) => {
  expect(quietAt(72, [...RUNNING, aGoawayAt(10), ...observations])).toEqual({ state: "watched" });
});

it("drains as long as clients are connected to a port that listens no more", () => {
  const observations = [...RUNNING, aGoawayAt(10), aReadAt(65, NO_ROWS), aReadAt(110, NO_ROWS)];
  expect(quietAt(140, observations)).toEqual({ state: "draining", quietUntil: 170 });
});

it("drains for ten minutes at most", () => {
  const reads = Array.from({ length: 12 }, (_, n) => aReadAt(60 + 50 * n, NO_ROWS));
  const observations = [...RUNNING, aGoawayAt(10), ...reads];
  expect(quietAt(600, observations)).toEqual({ state: "draining", quietUntil: 610 });
});

it("keeps the grace when the drain ends in a refusal", () => {
  const observations = [
    ...RUNNING,
    aGoawayAt(10),
    aClosingAt(10, { by: "goaway" }),
    aRefusalAt(12),
  ];
  expect(quietAt(13, observations)).toEqual({ state: "draining", quietUntil: 70 });
});

it("gives an upstream the grace, and goes on watching it", () => {
  const goaway = { ...aGoawayAt(10, "graceful_stop"), target: "inventory" };
  const target = targetIn(aStore(goaway).snapshot(after(11)), "inventory");
  expect([target.state, target.quietUntil]).toEqual(["watched", after(70)]);
});
