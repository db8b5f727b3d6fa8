import { describe, expect, it } from "vitest";
import { messageTooLarge } from "../../src/detectors/message-too-large.ts";
import type { ProbeHistory } from "../../src/model/facts/probes.ts";
import {
  anExpectation,
  aProbeHistory,
  aProbeRun,
  type Change,
  factsDeclared,
  factsRead,
  type JudgeOptions,
  judge,
  MINUTE,
  NOW,
  series,
  someProbes,
} from "../support/snapshot.ts";

type RunChange = NonNullable<Parameters<typeof aProbeRun>[0]>;

const GO = "grpc: received message larger than max (5000000 vs. 1048576)";
const good: RunChange = {};
const large: RunChange = {
  outcome: "failed",
  phase: "rpc",
  reason: "status",
  status: "RESOURCE_EXHAUSTED",
  statusText: GO,
};
const saying = (statusText: string): RunChange => ({ ...large, statusText });
const thrice = (run: RunChange) => [run, run, run];

const history = (changes: readonly RunChange[], more: Change<ProbeHistory> = {}) =>
  aProbeHistory({
    runs: series(changes.length, MINUTE, (at, index) => aProbeRun({ at, ...changes[index] })),
    ...more,
  });
const judged = (
  changes: readonly RunChange[],
  more: Change<ProbeHistory> = {},
  options: JudgeOptions<typeof messageTooLarge> = {},
) =>
  judge(
    messageTooLarge,
    { probes: someProbes({ probes: { "get-order": history(changes, more) } }) },
    options,
  );

describe("is silent about", () => {
  it.each<[string, readonly RunChange[]]>([
    ["probes that pass", [good, good, good]],
    ["two runs among others", [large, good, large, good, good]],
    ["a quota", thrice(saying("quota of 5000000 requests exceeded (limit 4194304)"))],
    [
      "a page of HTML that was read as a message",
      thrice(saying("Received message larger than max (1752460652 vs 4194304)")),
    ],
    ["the same text under another status", thrice({ ...large, status: "UNAVAILABLE" })],
    ["a failure that the probe asks for", thrice({ ...large, outcome: "passed" })],
    [
      "three that lie more than ten minutes back in part",
      [large, ...Array(5).fill(good), large, ...Array(4).fill(good), large, good],
    ],
  ])("%s", (_what, changes) => {
    expect(judged(changes)).toEqual([]);
  });
});

it("does not judge without a probe", () => {
  expect(judge(messageTooLarge, {})).toBeUndefined();
});

it("does not judge by the first runs alone while they are too few", () => {
  expect(judged([large, large])).toBeUndefined();
  expect(judged([good, large, large])).toEqual([]);
});

const found = {
  subject: { method: "order.OrderService/GetOrder" },
  severity: "critical",
  witnesses: ["probe"],
  isDeterministic: true,
  summary:
    "The request of order.OrderService/GetOrder has 5000000 bytes, and the server takes 1048576",
  evidence: {
    messageBytes: 5_000_000,
    limitBytes: 1_048_576,
    direction: "request",
    matches: 3,
    status: "RESOURCE_EXHAUSTED",
    statusText: GO,
  },
  beganAt: NOW - 2 * MINUTE,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
};

describe("speaks", () => {
  it("of a request that is refused three times in a row", () => {
    expect(judged([good, ...thrice(large)])).toEqual([found]);
  });

  it("aloud, but not critically, of three among others", () => {
    expect(judged([large, good, large, good, large, good])).toEqual([
      { ...found, severity: "warning", beganAt: NOW - 5 * MINUTE },
    ]);
  });

  it("of three within the window, and not of those before it", () => {
    const changes = [large, good, large, good, large, good];
    expect(judged(changes, {}, { limits: { window: 5 * MINUTE } })).toHaveLength(1);
    expect(judged(changes, {}, { limits: { window: 5 * MINUTE - 1 } })).toEqual([]);
  });

  it("as a warning of what only clients with the default limit refuse", () => {
    const own = saying("Received message larger than max (5242880 vs 4194304)");
    expect(judged(thrice(own))).toMatchObject([
      {
        severity: "warning",
        summary:
          "A response of order.OrderService/GetOrder has 5242880 bytes, and a client takes 4194304 where nobody raised it",
        evidence: { direction: "response", messageBytes: 5_242_880, limitBytes: 4_194_304 },
      },
    ]);
  });

  it.each([
    ["Java", "RESOURCE_EXHAUSTED", "gRPC message exceeds maximum size 1048576: 5000000"],
    [
      "C-core",
      "RESOURCE_EXHAUSTED",
      "SERVER: Received message larger than max (5000000 vs. 1048576)",
    ],
    ["grpc-js", "RESOURCE_EXHAUSTED", "Received message larger than max (5000000 vs 1048576)"],
    [
      "tonic",
      "OUT_OF_RANGE",
      "Error, decoded message length too large: found 5000000 bytes, the limit is: 1048576 bytes",
    ],
  ] as const)("in the words of %s", (_who, status, statusText) => {
    const [one] = judged(thrice({ ...large, status, statusText })) ?? [];
    expect(one).toMatchObject({
      severity: "critical",
      evidence: { messageBytes: 5_000_000, limitBytes: 1_048_576, direction: "request" },
    });
  });

  it("of the first failure of a probe that runs seldom", () => {
    expect(judged([good, large], { everyMs: 5 * MINUTE })).toHaveLength(1);
  });

  it("of a method once, however many probes call it", () => {
    const probes = { one: history(thrice(large)), two: history(thrice(large)) };
    expect(judge(messageTooLarge, { probes: someProbes({ probes }) })).toHaveLength(1);
  });
});

it("expects a probe", () => {
  expect(messageTooLarge.expects?.isStated(anExpectation())).toBe(false);
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(messageTooLarge)).toEqual(factsDeclared(messageTooLarge));
});
