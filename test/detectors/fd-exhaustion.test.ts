import { describe, expect, it } from "vitest";
import { fdExhaustion } from "../../src/detectors/fd-exhaustion.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import {
  aKept,
  aListeners,
  anAcceptRead,
  anAppProcess,
  anXray,
  anXrayReport,
  factsDeclared,
  factsRead,
  judge,
  NOW,
  SECOND,
  series,
} from "../support/snapshot.ts";

/** Open descriptors of 1000 in the newest scrapes. */
const using = (...openFds: readonly number[]) =>
  anAppProcess({
    scrapes: series(openFds.length, 15 * SECOND, (at, i) => ({
      at,
      openFds: openFds[i] ?? 0,
      maxFds: 1000,
    })),
  });
const full = using(990, 995, 990);

const answering = aKept({ state: "open", silentInRow: 0, lastReplyAt: NOW });
const waiting = (unaccepted: readonly number[], spacing = 5 * SECOND) =>
  aListeners({
    reads: series(unaccepted.length, spacing, (at, i) =>
      anAcceptRead({ at, unaccepted: unaccepted[i] ?? 0, established: 40 }),
    ),
  });
const closing = anXray({
  latest: anXrayReport({ outcome: "failed", silence: "closed" }),
  same: { since: NOW - 30 * SECOND, lastAt: NOW, count: 2 },
  everHttp2: true,
});

const judged = (facts: Partial<Facts>) => judge(fdExhaustion, facts);

describe("is silent about", () => {
  it.each<[string, Partial<Facts>]>([
    ["a process with room", { appProcess: using(100, 100) }],
    ["a single peak", { appProcess: using(800, 990) }],
    ["a share just below the limit", { appProcess: using(899, 899) }],
    [
      "connections that wait while descriptors are free: that is a full queue",
      { appProcess: using(100, 100), kept: answering, listeners: waiting([5, 5, 5]) },
    ],
    [
      "connections closed at once while descriptors are free",
      { appProcess: using(100, 100), kept: answering, xray: closing },
    ],
  ])("%s", (_what, facts) => {
    expect(judged(facts)).toEqual([]);
  });
});

describe("does not judge", () => {
  it.each<[string, Partial<Facts>]>([
    ["without any number or X-ray", { kept: answering, listeners: waiting([5, 5]) }],
    [
      "a full queue without a number",
      { xray: anXray(), kept: answering, listeners: waiting([5, 5]) },
    ],
    ["one scrape", { appProcess: using(990) }],
    [
      "closed connections where the kept one is gone too",
      { xray: closing, kept: aKept({ state: "closed" }) },
    ],
    [
      "closed connections where the kept one is silent",
      { xray: closing, kept: aKept({ silentInRow: 1 }) },
    ],
    [
      "closed connections where the kept one answered before only",
      { xray: closing, kept: aKept({ lastReplyAt: NOW - 31 * SECOND }) },
    ],
    [
      "a server that never spoke HTTP/2",
      { xray: { ...closing, everHttp2: false }, kept: answering },
    ],
    [
      "one closed connection",
      { xray: { ...closing, same: { since: NOW, lastAt: NOW, count: 1 } }, kept: answering },
    ],
  ])("%s", (_what, facts) => {
    expect(judged(facts)).toBeUndefined();
  });
});

describe("speaks", () => {
  it("of a process that has used most of its descriptors", () => {
    expect(judged({ appProcess: using(900, 950, 930) })).toEqual([
      {
        subject: {},
        severity: "warning",
        witnesses: ["metrics"],
        summary: "The app has 930 of 1000 file descriptors open (93 %)",
        evidence: { openFds: 930, maxFds: 1000, usedRatio: 0.93 },
      },
    ]);
  });

  it.each<[string, Partial<Facts>, object]>([
    [
      "where new connections wait",
      { listeners: waiting([0, 3, 4]) },
      { severity: "critical", witnesses: ["metrics", "kernel"], evidence: { unaccepted: 4 } },
    ],
    [
      "where they are closed at once",
      { xray: closing },
      { severity: "critical", witnesses: ["metrics", "preflight"], evidence: { closedAtOnce: 2 } },
    ],
    ["unless they wait in one read only", { listeners: waiting([0, 4]) }, { severity: "warning" }],
    [
      "unless the reads lie closer than 5 s",
      { listeners: waiting([3, 4], 4999) },
      { severity: "warning" },
    ],
  ])("as critical %s", (_when, facts, want) => {
    expect(judged({ appProcess: full, kept: answering, ...facts })).toMatchObject([want]);
  });

  it("as a warning below the second limit, though new connections are turned away", () => {
    const facts = { appProcess: using(970, 970), kept: answering, xray: closing };
    expect(judged(facts)).toMatchObject([
      {
        severity: "warning",
        summary:
          "The app has 970 of 1000 file descriptors open (97 %), and new connections are turned away",
      },
    ]);
  });

  it("without a number of connections that are closed at once, as a warning", () => {
    expect(judged({ xray: closing, kept: answering, listeners: waiting([0]) })).toEqual([
      {
        subject: {},
        severity: "warning",
        witnesses: ["preflight", "connection"],
        summary:
          "2 new connections in a row were accepted and closed without a byte, while the kept one answers: the app is out of file descriptors, or at a limit of connections",
        evidence: { closedAtOnce: 2, connectionAnswers: true, connections: 40 },
      },
    ]);
  });
});

it("reads what it declares", () => {
  judged({ appProcess: full, kept: answering, xray: closing, listeners: waiting([3, 3]) });
  expect(factsRead(fdExhaustion)).toEqual(factsDeclared(fdExhaustion));
});
