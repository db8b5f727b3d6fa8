import { describe, expect, it } from "vitest";
import { retryStorm } from "../../src/detectors/retry-storm.ts";
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
const { amplification, minAttempts, critical } = retryStorm.limits;

/** What each poll of 10 s adds. */
interface Load {
  readonly polls: number;
  readonly calls: number | readonly number[];
  readonly attempts: number | readonly number[];
  readonly failed: number;
  readonly isShared?: true;
}

/** Two calls a second, each tried three times; half of them fail in the end. */
const storm: Load = { polls: 20, calls: 20, attempts: 60, failed: 10 };

const sumTo = (added: number | readonly number[], index: number) =>
  typeof added === "number"
    ? added * index
    : added.slice(0, index).reduce((sum, value) => sum + value, 0);

function channels(change: Partial<Load> = {}): Facts["channels"] {
  const { polls, calls, attempts, failed, ...shared } = { ...storm, ...change };
  return someChannels({
    polls: series(polls, 10 * SECOND, (at, index) => ({
      at,
      upstreams: {
        [UPSTREAM]: aChannelGroup({
          callsStarted: 500 + sumTo(calls, index),
          callsFailed: failed * index,
          attempts: 900 + sumTo(attempts, index),
          remotes: { "10.0.0.9": { open: 1, started: 1, connections: 1, failing: false } },
          ...shared,
        }),
      },
    })),
  });
}

const judged = (
  change: Partial<Load>,
  facts: Partial<Facts> = {},
  options: JudgeOptions<typeof retryStorm> = {},
) => judge(retryStorm, { channels: channels(change), ...facts }, options);

const dialsAnew = anOutbound({
  reads: [{ at: NOW, remotes: [someRemoteRows({ address: "10.0.0.9", synSent: 1 })] }],
});

const dialsAnother = anOutbound({
  reads: [{ at: NOW, remotes: [someRemoteRows({ address: "10.0.0.8", synSent: 1 })] }],
});

describe("is silent", () => {
  it.each<[string, Partial<Load>]>([
    ["a healthy client: one attempt for each call", { attempts: 20, failed: 0 }],
    ["calls that fail without retries", { attempts: 20 }],
    ["hedging: a steady ratio, and the calls succeed", { failed: 0 }],
    ["hedging, of whose calls one in twenty fails", { failed: 1 }],
    ["hedging, of whose calls nearly one in five fails", { calls: 100, attempts: 300, failed: 19 }],
    ["hedging of few calls, of which some fail", { polls: 4, calls: 3, attempts: 9, failed: 1 }],
    ["a ratio just below the limit", { calls: 100, attempts: 149 }],
    ["too few attempts for a ratio", { calls: 3, attempts: 8, polls: 3 }],
    [
      "one bad minute, as after a drain",
      { calls: 20, attempts: [...Array<number>(13).fill(20), 60, 60, 60, 60, 60, 60] },
    ],
    ["sub-channels that channels of another target use as well", { isShared: true }],
  ])("about %s", (_what, load) => {
    expect(judged(load)).toEqual([]);
  });

  it("about one upstream while the other was seen once", () => {
    const twoOfOne = [
      ...channels({ attempts: 20, failed: 0 }).polls.slice(0, -1),
      {
        at: NOW,
        upstreams: {
          ...channels({ attempts: 20, failed: 0 }).polls.at(-1)?.upstreams,
          "new:1": aChannelGroup(),
        },
      },
    ];
    expect(judge(retryStorm, { channels: someChannels({ polls: twoOfOne }) })).toEqual([]);
  });

  it("about an app without channels", () => {
    expect(judge(retryStorm, { channels: { polls: [{ at: NOW, upstreams: {} }] } })).toEqual([]);
  });
});

describe("does not judge", () => {
  it("without the app's channels", () => {
    expect(judge(retryStorm, { outbound: dialsAnew })).toBeUndefined();
  });

  it("before a second poll", () => {
    expect(judged({ polls: 1 })).toBeUndefined();
  });
});

describe("speaks", () => {
  it("of calls that are tried again and again in two of three minutes", () => {
    expect(judged({})).toEqual([
      {
        subject: { upstream: UPSTREAM },
        severity: "warning",
        witnesses: ["channelz-client"],
        summary: `120 calls to ${UPSTREAM} became 360 attempts in 60 s (3.0 each), and 60 failed all the same`,
        evidence: { attempts: 360, calls: 120, amplification: 3, failed: 60, windowSeconds: 60 },
      },
    ]);
  });

  it("at the limits, to the digit", () => {
    expect(judged({ calls: 100, attempts: 150 })).toHaveLength(1);
    expect(judged({}, {}, { limits: { minAttempts: 360 } })).toHaveLength(1);
    expect(judged({}, {}, { limits: { minAttempts: 361 } })).toEqual([]);
    expect([amplification.default, minAttempts.default]).toEqual([1.5, 50]);
  });

  it("of failed calls that explain half of the attempts, though most calls succeed", () => {
    expect(judged({ calls: 96, attempts: 192, failed: 12 })).toHaveLength(1);
    expect(judged({ calls: 96, attempts: 192, failed: 11 })).toEqual([]);
  });

  it("of every fifth call failing, whatever the number of attempts", () => {
    expect(judged({ calls: 100, attempts: 900, failed: 20 })).toHaveLength(1);
  });

  it("of three calls a minute, each of them seven attempts, before any window is full", () => {
    const [found] = judged({ polls: 4, calls: 1, attempts: 7, failed: 1 }) ?? [];
    expect(found?.evidence).toEqual({
      attempts: 21,
      calls: 3,
      amplification: 7,
      failed: 3,
      windowSeconds: 30,
    });
  });

  it.each([
    ["critical where the kernel finds the upstream sick", 60, dialsAnew, "critical"],
    ["critical at the critical ratio", 50, dialsAnew, "critical"],
    ["a warning below the critical ratio", 49, dialsAnew, "warning"],
    ["a warning where another's connections fail", 60, dialsAnother, "warning"],
    ["a warning where only the channels say so", 60, anOutbound(), "warning"],
  ] as const)("as %s", (_what, attempts, outbound, severity) => {
    expect(judged({ attempts }, { outbound })).toMatchObject([{ severity }]);
    expect(critical.default).toBe(2.5);
  });
});

it.each([
  ["the app's own port that refuses", "connection-refused", { address: "localhost:50051" }, false],
  ["another upstream that is stuck", "channel-stuck", { upstream: "payments:50051" }, false],
  ["its upstream that refuses", "connection-refused", { address: `dns:///${UPSTREAM}` }, true],
  ["its upstream whose way is dark", "connect-blackholed", { remote: UPSTREAM }, true],
  ["its upstream that is stuck", "channel-stuck", { upstream: UPSTREAM }, true],
])("takes for its cause: %s", (_what, code, subject, isExplained) => {
  const cause = { code, subject, evidence: {} };
  expect(retryStorm.explainedBy(cause, {}, { upstream: UPSTREAM })).toBe(isExplained);
});

it("is not explained by what ails the app's own server, but by that of the upstream", () => {
  expect(retryStorm.causes.map(({ code }) => code)).toEqual([
    "connection-refused",
    "connect-blackholed",
    "channel-stuck",
  ]);
  expect(retryStorm.dependencyCauses.map(({ code }) => code)).toEqual(
    expect.arrayContaining(["tls-cert-expired", "deadline-storm", "stream-exhaustion"]),
  );
});

it("reads what it declares", () => {
  judged({}, { outbound: dialsAnew });
  expect(factsRead(retryStorm)).toEqual(factsDeclared(retryStorm));
});
