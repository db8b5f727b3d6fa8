import { describe, expect, it } from "vitest";
import { channelStuck } from "../../src/detectors/channel-stuck.ts";
import type { ChannelGroup } from "../../src/model/facts/channels.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import {
  aChannelGroup,
  anOutbound,
  factsDeclared,
  factsRead,
  type JudgeOptions,
  judge,
  NOW,
  SECOND,
  series,
  someChannels,
  someRemoteRows,
} from "../support/snapshot.ts";

const UPSTREAM = "inventory.shop.svc:50051";
type States = ChannelGroup["states"];
const READY: States = { READY: 1 };
const FAILING: States = { TRANSIENT_FAILURE: 1 };
const CONNECTING: States = { CONNECTING: 1 };

interface Calls {
  /** That each poll adds. */
  readonly started?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly lastError?: string;
}

/** A poll each 10 s with these states, the last one now. */
const channels = (states: readonly States[], calls: Calls = { started: 5, failed: 5 }) =>
  someChannels({
    polls: series(states.length, 10 * SECOND, (at, index) => ({
      at,
      upstreams: {
        [UPSTREAM]: aChannelGroup({
          states: states[index] ?? {},
          callsStarted: (calls.started ?? 0) * index,
          callsSucceeded: (calls.succeeded ?? 0) * index,
          callsFailed: (calls.failed ?? 0) * index,
          remotes: {
            "10.0.0.9": { open: 0, started: 0, connections: 0, failing: true },
          },
          ...(calls.lastError !== undefined && { lastError: calls.lastError }),
        }),
      },
    })),
  });
const times = (count: number, states: States) => Array<States>(count).fill(states);
const broken = [READY, ...times(3, FAILING)];
const outbound = (change: Parameters<typeof someRemoteRows>[0]) =>
  anOutbound({ reads: [{ at: NOW, remotes: [someRemoteRows(change)] }] });

const judged = (
  known: Facts["channels"],
  facts: Partial<Facts> = {},
  options: JudgeOptions<typeof channelStuck> = {},
) => judge(channelStuck, { channels: known, ...facts }, options);

describe("is silent about", () => {
  it.each<[string, Facts["channels"]]>([
    ["an app without channels", someChannels({ polls: [{ at: NOW, upstreams: {} }] })],
    ["channels that are ready", channels(times(10, READY))],
    ["a channel that rests", channels(times(10, { IDLE: 1 }))],
    ["a channel that was closed", channels(times(10, { SHUTDOWN: 1 }))],
    [
      "one of two that fails, while the other is ready",
      channels(times(10, { READY: 1, TRANSIENT_FAILURE: 1 })),
    ],
    ["a connection that was lost and is back", channels([READY, FAILING, FAILING, READY])],
    [
      "a failure of less than its window: an upstream that restarts",
      channels([READY, FAILING, FAILING]),
    ],
    [
      "a channel that fails without calls, for less than a minute",
      channels([READY, ...times(5, FAILING)], {}),
    ],
    [
      "channels that are made for one call each, caught while they connect",
      channels(times(10, CONNECTING), { started: 9, succeeded: 9 }),
    ],
    [
      "channels of which some fail while calls pass",
      channels(times(10, FAILING), { started: 9, succeeded: 1, failed: 8 }),
    ],
    [
      "one that rests between its failures",
      channels([READY, FAILING, { IDLE: 1 }, { IDLE: 1 }, { IDLE: 1 }]),
    ],
    ["a state that nobody knows, as Go's at first", channels(times(10, { UNKNOWN: 1 }))],
  ])("%s", (_what, known) => {
    expect(judged(known)).toEqual([]);
  });
});

it.each<[string, Facts["channels"]]>([
  [
    "an upstream that was never ready, for less than a minute: both start",
    channels(times(6, FAILING)),
  ],
  ["a connect that takes its time", channels(times(3, CONNECTING), { started: 1 })],
])("does not judge what has been so since the first look: %s", (_what, known) => {
  expect(judged(known)).toBeUndefined();
});

it("does not judge before the second poll, nor without channelz", () => {
  expect(judged(channels([FAILING]))).toBeUndefined();
  expect(judge(channelStuck, { outbound: anOutbound() })).toBeUndefined();
});

const symptom = {
  subject: { upstream: UPSTREAM },
  severity: "warning",
  witnesses: ["channelz-client"],
  summary: `No channel to ${UPSTREAM} has had a connection for 20 s: of 10 calls none has passed`,
  evidence: {
    state: "TRANSIENT_FAILURE",
    cause: "transient-failure",
    stateSeconds: 20,
    callsWaiting: 0,
    calls: 10,
    failed: 10,
    channels: 1,
    subchannels: 1,
  },
  beganAt: NOW - 20 * SECOND,
};

describe("speaks", () => {
  it("of a channel that was ready and fails the calls that are made over it", () => {
    expect(judged(channels(broken))).toEqual([symptom]);
  });

  it("of what it tried last", () => {
    const known = channels(broken, { started: 5, failed: 5, lastError: "connection refused" });
    expect(judged(known)?.[0]?.evidence["lastError"]).toBe("connection refused");
  });

  it("of one that was never ready, after a minute", () => {
    expect(judged(channels(times(7, FAILING)))).toMatchObject([
      { severity: "warning", evidence: { stateSeconds: 60, calls: 30, failed: 30 } },
    ]);
  });

  it("of one that tries again in between", () => {
    const states = [FAILING, CONNECTING, CONNECTING, FAILING, CONNECTING, CONNECTING, CONNECTING];
    expect(judged(channels(states))).toMatchObject([{ severity: "warning" }]);
  });

  it("only as information of one that nobody calls over", () => {
    expect(judged(channels(times(7, FAILING), {}))).toMatchObject([
      {
        severity: "info",
        summary: `No channel to ${UPSTREAM} has had a connection for 60 s: no call was made over it meanwhile`,
      },
    ]);
  });

  it.each<[string, Partial<Facts>, object]>([
    ["nobody knows why", {}, { witnesses: ["channelz-client"] }],
    [
      "the peer accepts and says nothing",
      { outbound: outbound({ established: 1 }) },
      { witnesses: ["channelz-client"], evidence: { cause: "mute" } },
    ],
    [
      "its SYN has no answer",
      { outbound: outbound({ established: 0, synSent: 1 }) },
      {
        severity: "critical",
        witnesses: ["channelz-client", "kernel"],
        evidence: { cause: "syn-sent" },
      },
    ],
    [
      "the rows are of another address",
      { outbound: outbound({ address: "10.0.0.8", synSent: 1 }) },
      { severity: "warning", witnesses: ["channelz-client"] },
    ],
  ])("of one that goes on connecting: %s", (_why, facts, expected) => {
    const [found] = judged(channels(times(4, CONNECTING), { started: 1 }), facts) ?? [];
    expect(found).toMatchObject({ severity: "warning", ...expected });
    expect(found?.evidence).toMatchObject({
      state: "CONNECTING",
      stateSeconds: 30,
      callsWaiting: 3,
    });
  });

  it("critically of calls that fail at an address that does not answer", () => {
    const facts = { outbound: outbound({ established: 0, synSent: 2 }) };
    expect(judged(channels(broken), facts)).toMatchObject([{ severity: "critical" }]);
    expect(judged(channels(times(7, FAILING), {}), facts)).toMatchObject([{ severity: "info" }]);
  });

  it.each([
    ["window", broken, { window: 30 * SECOND }],
    ["stuck", [READY, ...times(7, FAILING)], { stuck: 70 * SECOND, window: 300 * SECOND }],
    ["connecting", [READY, ...times(4, CONNECTING)], { connecting: 40 * SECOND }],
  ])("not before its limit: %s", (_name, states, limits) => {
    expect(judged(channels(states), {}, { limits })).toEqual([]);
  });
});

it.each([
  ["connect-blackholed", { remote: `dns:///${UPSTREAM}` }, true],
  ["connect-blackholed", { remote: "10.0.0.9:6379" }, false],
  ["connection-refused", { address: `dns:///${UPSTREAM}` }, true],
  ["connection-refused", { address: "localhost:50051" }, false],
  ["tls-cert-expired", { certificate: "leaf" }, true],
])("is explained by %s of %j: %s", (code, subject, isExplained) => {
  const cause = { code, subject, evidence: {} };
  expect(channelStuck.explainedBy(cause, {}, { upstream: UPSTREAM })).toBe(isExplained);
});

it("has those that name a place as causes on the same target too", () => {
  expect(channelStuck.causes.map(({ code }) => code)).toEqual([
    "connection-refused",
    "connect-blackholed",
  ]);
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(channelStuck)).toEqual(factsDeclared(channelStuck));
});
