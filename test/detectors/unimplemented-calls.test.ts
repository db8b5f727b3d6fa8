import { describe, expect, it } from "vitest";
import { unimplementedCalls } from "../../src/detectors/unimplemented-calls.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ProbeHistory } from "../../src/model/facts/probes.ts";
import {
  anExpectation,
  aProbeHistory,
  aProbeRun,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  SECOND,
  series,
  someProbes,
  someServices,
} from "../support/snapshot.ts";

type RunChange = NonNullable<Parameters<typeof aProbeRun>[0]>;

const good: RunChange = {};
const refused: RunChange = {
  outcome: "failed",
  phase: "rpc",
  reason: "status",
  status: "UNIMPLEMENTED",
  statusText: "unknown method GetOrder for service order.OrderService",
};
const saying = (statusText: string): RunChange => ({ ...refused, statusText });

const history = (changes: readonly RunChange[], more: Change<ProbeHistory> = {}) =>
  aProbeHistory({
    runs: series(changes.length, 30 * SECOND, (at, index) => aProbeRun({ at, ...changes[index] })),
    ...more,
  });
const judged = (
  changes: readonly RunChange[],
  more: Change<ProbeHistory> = {},
  facts: Partial<Facts> = {},
) =>
  judge(unimplementedCalls, {
    probes: someProbes({ probes: { "get-order": history(changes, more) } }),
    ...facts,
  });

describe("is silent about", () => {
  it.each<[string, readonly RunChange[]]>([
    ["probes that pass", [good, good]],
    ["one answer, as of one replica of a roll-out", [good, refused]],
    ["replicas of two versions that take turns", [refused, good, refused, good, refused]],
    ["a method that has come", [refused, refused, good]],
    [
      "an answer that the probe asks for",
      [
        { ...good, status: "UNIMPLEMENTED" },
        { ...good, status: "UNIMPLEMENTED" },
      ],
    ],
    [
      "another status",
      [
        { ...refused, status: "UNAVAILABLE" },
        { ...refused, status: "INTERNAL" },
      ],
    ],
    [
      "what the server will not do for us",
      [
        { ...refused, outcome: "unsupported" },
        { ...refused, outcome: "unsupported" },
      ],
    ],
    [
      "an encoding, which tonic calls unimplemented",
      [
        saying("Content is compressed with `gzip` which isn't supported"),
        saying("Content is compressed with `gzip` which isn't supported"),
      ],
    ],
    ["a call without response", [saying("No message received"), saying("No message received")]],
    [
      "a route that a gateway does not have",
      [saying("Received HTTP status code 404"), saying("Received HTTP status code 404")],
    ],
  ])("%s", (_what, changes) => {
    expect(judged(changes)).toEqual([]);
  });
});

it("does not judge without a probe", () => {
  expect(judge(unimplementedCalls, { services: someServices() })).toBeUndefined();
});

it("does not judge by a first run that was refused", () => {
  expect(judged([refused])).toBeUndefined();
  expect(judged([good, refused])).toEqual([]);
});

describe("speaks", () => {
  it("of a method that is refused twice in a row", () => {
    expect(judged([good, refused, refused])).toEqual([
      {
        subject: { method: "order.OrderService/GetOrder" },
        witnesses: ["probe"],
        isDeterministic: true,
        summary:
          "order.OrderService/GetOrder is not implemented: probe get-order was told so 2 times in a row",
        evidence: {
          unimplemented: 2,
          calls: 3,
          counted: "probe",
          statusText: "unknown method GetOrder for service order.OrderService",
        },
        beganAt: NOW - 30 * SECOND,
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
      },
    ]);
  });

  it("of no more runs than are kept", () => {
    const row = Array.from({ length: 20 }, () => refused);
    expect(judged(row)?.map(({ summary }) => summary)).toEqual([
      "order.OrderService/GetOrder is not implemented: probe get-order was told so at least 20 times in a row",
    ]);
  });

  it("of the first refusal of a probe that runs seldom", () => {
    expect(judged([good, refused], { everyMs: 5 * MINUTE })).toHaveLength(1);
    expect(judged([good, refused], { everyMs: 5 * MINUTE - 1 })).toEqual([]);
  });

  it("of a method once, however many probes call it", () => {
    const probes = { one: history([refused, refused]), two: history([refused, refused]) };
    expect(judge(unimplementedCalls, { probes: someProbes({ probes }) })).toHaveLength(1);
  });

  it.each([
    [
      "the nearest one that is served",
      "order.OrderService/GetOrders",
      "order.OrderService/GetOrders",
    ],
    ["none, where it is itself described", "order.OrderService/GetOrder", undefined],
    ["none, where none is near", "stock.Stock/Reserve", undefined],
  ])("and names %s", (_what, name, nearest) => {
    const services = someServices({ methods: [{ name, kind: "unary" }] });
    const [found] = judged([refused, refused], {}, { services }) ?? [];
    expect(found?.evidence["nearest"]).toBe(nearest);
  });
});

it("expects a probe", () => {
  expect(unimplementedCalls.expects?.isStated(anExpectation())).toBe(false);
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(unimplementedCalls)).toEqual(factsDeclared(unimplementedCalls));
});
