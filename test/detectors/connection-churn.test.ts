import { describe, expect, it } from "vitest";
import { connectionChurn } from "../../src/detectors/connection-churn.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { KeptEnd } from "../../src/model/facts/kept.ts";
import {
  aKept,
  anXray,
  anXrayReport,
  aServiceHealth,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  SECOND,
  series,
  someHealth,
} from "../support/snapshot.ts";

const end = (change: Partial<KeptEnd> = {}): Omit<KeptEnd, "at"> => ({
  lifeMs: 3 * SECOND,
  idleMs: 500,
  by: "fin",
  ...change,
});
const goaway = (code: number, debugText = ""): Partial<KeptEnd> => ({
  by: "goaway",
  goaway: { code, debugText },
});

/** Closed again since the last of so many ends, `everyMs` apart. */
const ended = (
  count: number,
  of: (index: number) => Partial<KeptEnd>,
  { everyMs = 75 * SECOND, agoMs = 0, ...kept }: Partial<Facts["kept"]> & Course = {},
): Pick<Facts, "kept"> => ({
  kept: aKept({
    state: "closed",
    since: NOW - agoMs,
    ends: series(count, everyMs, (at, index) => ({ at: at - agoMs, ...end(of(index)) })),
    ...kept,
  }),
});
interface Course {
  readonly everyMs?: number;
  readonly agoMs?: number;
}

const watched: Pick<Facts, "health"> = {
  health: someHealth({ services: { "": aServiceHealth({ via: "watch" }) } }),
};
const polled: Pick<Facts, "health"> = {
  health: someHealth({ services: { "": aServiceHealth({ via: "check" }) } }),
};
const looks = (count: number, everyMs: number): Pick<Facts, "xray"> => ({
  xray: anXray({
    latest: anXrayReport({
      outcome: "failed",
      phase: "http2",
      reason: "goaway",
      goaway: { at: NOW, code: 11, debugText: "slow down" },
    }),
    same: { since: NOW - (count - 1) * everyMs, lastAt: NOW, count },
  }),
});

describe("is silent about", () => {
  it.each<[string, Partial<Facts>]>([
    ["a connection that lives", { kept: aKept() }],
    ["a connection that has lived for a minute", { kept: aKept({ since: NOW - MINUTE }) }],
    ["ages of a minute", ended(12, () => ({ lifeMs: MINUTE, ...goaway(0, "max_age") }))],
    [
      "ages of some minutes",
      ended(12, () => ({ lifeMs: 5 * MINUTE, ...goaway(0, "max_age") }), { everyMs: 5 * MINUTE }),
    ],
    ["one long life among the short", ended(8, (i) => ({ lifeMs: i === 4 ? MINUTE : 0 }))],
    [
      "a connection that has become old since",
      ended(8, () => ({}), { state: "open", agoMs: MINUTE }),
    ],
    ["ends that are over", ended(8, () => ({}), { agoMs: 181_000 })],
    [
      "X-rays that fail otherwise",
      { xray: anXray({ same: { since: 0, lastAt: NOW, count: 50 } }) },
    ],
    [
      "five minutes of X-rays",
      { xray: anXray({ same: { since: NOW - 5 * MINUTE, lastAt: NOW, count: 11 } }) },
    ],
  ])("%s", (_what, facts) => {
    expect(judge(connectionChurn, facts)).toEqual([]);
  });
});

it.each<[string, Partial<Facts>]>([
  ["idle connections that end", { ...ended(8, () => ({ idleMs: 2_000 })), ...polled }],
  [
    "connections that end two seconds after each call, or a bit off",
    { ...ended(24, (i) => ({ idleMs: 1_990 + i })), ...polled },
  ],
  ["idle connections of a server without health", ended(8, () => ({ idleMs: 3_000 }))],
  ["idle connections that get a GOAWAY", ended(8, () => ({ idleMs: 3_000, ...goaway(0) }))],
  [
    "connections that end for idleness of their streams",
    { ...ended(8, () => ({ idleMs: 5_000 })), ...watched },
  ],
  ["connections that say so", ended(8, () => goaway(0, "max_idle"))],
])("cannot tell %s from an idle timeout", (_what, facts) => {
  expect(judge(connectionChurn, facts)).toBeUndefined();
});

it.each<[string, Partial<Facts>]>([
  ["a connection that is younger than a minute", { kept: aKept({ since: NOW - 59_999 }) }],
  ["one that is closed, and none that was ended", { kept: aKept({ state: "closed" }) }],
  ["a fresh connection that is answered", { xray: anXray() }],
  ["one end", ended(1, () => ({}))],
  ["one end of an idle one", ended(1, () => ({ idleMs: 9_000 }))],
  ["four ends", ended(4, () => ({}), { everyMs: 2 * MINUTE })],
  ["ends within four minutes, as a roll-out makes them", ended(9, () => ({}), { everyMs: 30_000 })],
  ["four busy ones among the idle", ended(9, (i) => ({ idleMs: i % 2 === 0 ? 9_000 : 0 }))],
  ["busy ones that ended long before the idle", ended(12, (i) => ({ idleMs: i < 9 ? 0 : 9_000 }))],
  ["four X-rays that got a GOAWAY", looks(4, 2 * MINUTE)],
  ["X-rays within four minutes that got a GOAWAY", looks(9, 30 * SECOND)],
  ["one that did, beside a connection that lives", { kept: aKept(), ...looks(1, 0) }],
])("does not judge by %s", (_what, facts) => {
  expect(judge(connectionChurn, facts)).toBeUndefined();
});

it("knows nothing before a connection or a look", () => {
  expect(judge(connectionChurn, {})).toBeUndefined();
});

describe("tells", () => {
  it.each<[string, Partial<Facts>, object]>([
    [
      "a server that ends each connection without a word",
      ended(5, () => ({})),
      {
        subject: {},
        severity: "warning",
        witnesses: ["connection"],
        summary:
          "5 connections of the agent were ended at an age of 3 s within 5 min, the last by FIN without GOAWAY",
        evidence: {
          cuts: 5,
          cause: "unknown",
          endedBy: "fin",
          windowSeconds: 300,
          medianLifeSeconds: 3,
        },
        beganAt: NOW - 5 * MINUTE,
      },
    ],
    [
      "a server that says each time that it stops",
      ended(6, () => ({ lifeMs: 0, idleMs: 0, ...goaway(0) })),
      {
        subject: {},
        severity: "warning",
        witnesses: ["connection"],
        summary:
          "6 connections of the agent were ended at an age of 0 ms within 6 min, the last by GOAWAY NO_ERROR",
        evidence: {
          cuts: 6,
          cause: "unknown",
          endedBy: "goaway",
          windowSeconds: 375,
          medianLifeSeconds: 0,
          goawayCode: 0,
        },
        beganAt: NOW - 375 * SECOND,
      },
    ],
    [
      "fresh connections that get a GOAWAY for an answer",
      looks(11, 30 * SECOND),
      {
        subject: {},
        severity: "warning",
        witnesses: ["preflight"],
        summary:
          "11 connections of the agent were ended within 5 min, the last by GOAWAY ENHANCE_YOUR_CALM (slow down)",
        evidence: {
          cuts: 11,
          cause: "unknown",
          endedBy: "goaway",
          windowSeconds: 300,
          goawayCode: 11,
          debugText: "slow down",
        },
        beganAt: NOW - 5 * MINUTE,
      },
    ],
  ])("%s", (_what, facts, symptom) => {
    expect(judge(connectionChurn, facts)).toEqual([symptom]);
  });

  it.each<[string, Partial<Facts>]>([
    ["idle connections that are reset", ended(5, () => ({ by: "rst", idleMs: 9_000 }))],
    ["idle connections that get an error", ended(5, () => ({ idleMs: 9_000, ...goaway(2) }))],
    ["connections with a Watch", { ...ended(5, () => ({ idleMs: 3_000 })), ...watched }],
    ["what follows an idle one", ended(6, (i) => ({ idleMs: i === 0 ? 9_000 : 0 }))],
    [
      "the busy ones among those that look idle",
      {
        ...ended(9, (i) => ({ lifeMs: 20 * SECOND, idleMs: i % 2 === 0 ? 300 : 2_300 })),
        ...polled,
      },
    ],
    ["connections while one is open", ended(5, () => ({}), { state: "open", agoMs: 10_000 })],
  ])("%s", (_what, facts) => {
    expect(judge(connectionChurn, facts)).toMatchObject([
      { severity: "warning", evidence: { cuts: 5, cause: "unknown" } },
    ]);
  });

  it.each<[string, Partial<KeptEnd>, object]>([
    [
      "an age that is configured, as information",
      { lifeMs: 30 * SECOND, idleMs: 9_000, ...goaway(0, "max_age") },
      { severity: "info", evidence: { cause: "max-age", medianLifeSeconds: 30 } },
    ],
    [
      "ages that are alike and told without a word, as information",
      { lifeMs: 30 * SECOND, ...goaway(0) },
      {
        severity: "info",
        summary:
          "5 connections of the agent were ended at an age of 30 s within 5 min, the last by GOAWAY NO_ERROR, which looks like a configured maximum age",
        evidence: { cause: "likely-max-age", medianLifeSeconds: 30 },
      },
    ],
    [
      "ages that are alike, of connections that end without a GOAWAY",
      { lifeMs: 30 * SECOND },
      { severity: "warning", evidence: { cause: "unknown" } },
    ],
    [
      "ages that are alike, of a server that says something else",
      { lifeMs: 30 * SECOND, ...goaway(0, "overloaded") },
      { severity: "warning", evidence: { cause: "unknown" } },
    ],
    [
      "ages that nobody sets",
      { lifeMs: 4_999, ...goaway(0) },
      { severity: "warning", evidence: { cause: "unknown" } },
    ],
    [
      "a guard that counts pings",
      goaway(11, "too_many_pings"),
      { severity: "warning", evidence: { cause: "keepalive", goawayCode: 11 } },
    ],
  ])("the cause of %s", (_what, change, symptom) => {
    expect(
      judge(
        connectionChurn,
        ended(5, () => change),
      ),
    ).toMatchObject([symptom]);
  });
});

it.each<[string, readonly [number, number], object]>([
  ["spread by a tenth", [27, 33], { severity: "info", evidence: { cause: "likely-max-age" } }],
  ["that differ by half", [20, 30], { severity: "warning", evidence: { cause: "unknown" } }],
])("takes ages %s for what they are", (_how, [even, odd], symptom) => {
  const facts = ended(8, (i) => ({ lifeMs: (i % 2 === 0 ? even : odd) * SECOND, ...goaway(0) }));
  expect(judge(connectionChurn, facts)).toMatchObject([symptom]);
});

it("reads the facts that it declares", () => {
  expect(factsRead(connectionChurn)).toEqual(factsDeclared(connectionChurn));
});
