import { describe, expect, it } from "vitest";
import { halfOpenConnection } from "../../src/detectors/half-open-connection.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { RemoteRows } from "../../src/model/socket-rows.ts";
import {
  anExpectation,
  anOutbound,
  anUpstreamExpectation,
  aReach,
  factsDeclared,
  factsRead,
  judge,
  NOW,
  SECOND,
  series,
  someRemoteRows,
  someSurroundings,
} from "../support/snapshot.ts";

const CHANNEL = { "10.0.0.9:50051": "dns:///inventory:50051" };
const STUCK = { retransmitting: 1, maxRetransmits: 5, sendQueueBytes: 120 };

/** Three reads 5 s apart, newest last. */
const rows = (
  of: (index: number) => Partial<RemoteRows>,
  { reads = 3, knownAs = CHANNEL as Facts["outbound"]["knownAs"] } = {},
) =>
  anOutbound({
    reads: series(reads, 5 * SECOND, (at, index) => ({
      at,
      remotes: [someRemoteRows({ ...STUCK, ...of(index) })],
    })),
    knownAs,
  });
const stuck = rows((index) => ({ maxRetransmits: 5 + index }));

const judged = (facts: Partial<Facts>) =>
  judge(halfOpenConnection, { expectation: anExpectation(), outbound: stuck, ...facts });

const connecting = (lastAt: number) =>
  aReach({ runs: { "10.0.0.9:50051": { outcome: "connected", since: lastAt, lastAt, count: 1 } } });

describe("is silent about", () => {
  it.each<[string, Facts["outbound"]]>([
    ["a quiet connection", rows(() => ({ retransmitting: 0, maxRetransmits: 0 }))],
    ["two repetitions, as on a lossy link", rows(() => ({ maxRetransmits: 2 }))],
    ["one bad read among good ones", rows((i) => (i === 1 ? { maxRetransmits: 0 } : {}))],
    ["two reads after a good one", rows((i) => (i === 0 ? { maxRetransmits: 0 } : {}))],
    ["a queue that shrinks", rows((i) => ({ sendQueueBytes: 120 - i }))],
    ["nothing to send", rows(() => ({ sendQueueBytes: 0 }))],
    [
      "a peer that does not read: zero-window probes have another timer",
      rows(() => ({ retransmitting: 0, maxRetransmits: 0, zeroWindow: 1 })),
    ],
    ["a place where new connects fail as well", rows((i) => ({ synSent: i === 2 ? 1 : 0 }))],
    ["no remote at all", anOutbound({ reads: [{ at: NOW, remotes: [] }] })],
  ])("%s", (_what, outbound) => {
    expect(judged({ outbound })).toEqual([]);
  });
});

it("does not judge what it has seen so from the first read on, for too short a time", () => {
  const reads = stuck.reads.map((read, index) => ({ ...read, at: NOW - (2 - index) * 4999 }));
  expect(judged({ outbound: { ...stuck, reads } })).toBeUndefined();
  expect(judged({ outbound: rows(() => ({}), { reads: 2 }) })).toBeUndefined();
});

it("does not judge under a mesh, or without rows", () => {
  expect(judged({ surroundings: someSurroundings({ mesh: true }) })).toBeUndefined();
  expect(judge(halfOpenConnection, { expectation: anExpectation() })).toBeUndefined();
});

describe("speaks", () => {
  it("of bytes that nobody acknowledges, by the name that the app's channel gives", () => {
    expect(judged({})).toEqual([
      {
        subject: { remote: "inventory:50051" },
        severity: "warning",
        witnesses: ["kernel"],
        summary:
          "A connection of the app to inventory:50051 got no acknowledgement for 10 s, with 7 repetitions",
        evidence: {
          rows: 1,
          retransmits: 7,
          queuedBytes: 120,
          stuckSeconds: 10,
          newConnectionWorks: false,
        },
        beganAt: NOW - 10 * SECOND,
      },
    ]);
  });

  it("as critical where a connect of our own works", () => {
    const expectation = anUpstreamExpectation({ address: "dns:///stock:50051" });
    expect(judged({ expectation, reach: connecting(NOW) })).toMatchObject([
      {
        severity: "critical",
        witnesses: ["kernel", "preflight"],
        evidence: { newConnectionWorks: true },
      },
    ]);
  });

  it("as a warning where our connect worked before it began only", () => {
    expect(judged({ reach: connecting(NOW - 11 * SECOND) })).toMatchObject([
      { severity: "warning", evidence: { newConnectionWorks: false } },
    ]);
  });

  it("as a warning where another connection of the app works", () => {
    const outbound = rows((i) => ({
      retransmitting: 2,
      localPorts: i === 2 ? [41_000, 41_001] : [41_000],
      synSent: i === 2 ? 1 : 0,
    }));
    expect(judged({ outbound })).toMatchObject([
      {
        severity: "warning",
        summary:
          "2 connections of the app to inventory:50051 got no acknowledgement for 10 s, with 5 repetitions, though a new connection works",
      },
    ]);
  });

  it("only as info of a remote that may be a database", () => {
    expect(judged({ outbound: rows(() => ({}), { knownAs: {} }) })).toMatchObject([
      { subject: { remote: "10.0.0.9:50051" }, severity: "info" },
    ]);
  });

  it("of a configured upstream by its own name", () => {
    const expectation = anUpstreamExpectation({ address: "dns:///stock:50051" });
    const outbound = rows(() => ({}), { knownAs: {} });
    expect(judged({ expectation, outbound })).toMatchObject([
      { subject: { remote: "stock:50051" }, severity: "warning" },
    ]);
  });
});

it("reads what it declares", () => {
  judged({ reach: aReach(), surroundings: someSurroundings() });
  expect(factsRead(halfOpenConnection)).toEqual(factsDeclared(halfOpenConnection));
});
