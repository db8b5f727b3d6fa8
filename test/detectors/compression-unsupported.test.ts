import { describe, expect, it } from "vitest";
import { compressionUnsupported } from "../../src/detectors/compression-unsupported.ts";
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
} from "../support/snapshot.ts";

type RunChange = NonNullable<Parameters<typeof aProbeRun>[0]>;

const GO = 'grpc: Decompressor is not installed for grpc-encoding "gzip"';
const good: RunChange = {};
const refused: RunChange = {
  outcome: "failed",
  phase: "rpc",
  reason: "status",
  status: "UNIMPLEMENTED",
  statusText: GO,
};
const saying = (statusText: string): RunChange => ({ ...refused, statusText });

const history = (changes: readonly RunChange[], more: Change<ProbeHistory> = {}) =>
  aProbeHistory({
    runs: series(changes.length, 30 * SECOND, (at, index) => aProbeRun({ at, ...changes[index] })),
    ...more,
  });
const judged = (changes: readonly RunChange[], more: Change<ProbeHistory> = {}) =>
  judge(compressionUnsupported, {
    probes: someProbes({ probes: { "get-order": history(changes, more) } }),
  });

describe("is silent about", () => {
  it.each<[string, readonly RunChange[]]>([
    ["compressed calls that pass", [good, good]],
    ["one refusal, as of one replica of a roll-out", [good, refused]],
    ["replicas of two versions that take turns", [refused, good, refused, good]],
    ["a codec that was registered meanwhile", [refused, refused, good]],
    [
      "a method that is missing, whatever the encoding",
      [saying("unknown method GetOrder"), saying("unknown method GetOrder")],
    ],
    [
      "data that is corrupt",
      [saying("Failed to decompress message"), saying("Failed to decompress message")],
    ],
    [
      "the same words under a status that accuses the caller",
      [
        { ...refused, status: "INVALID_ARGUMENT" },
        { ...refused, status: "INVALID_ARGUMENT" },
      ],
    ],
    [
      "a refusal that the probe asks for",
      [
        { ...refused, outcome: "passed" },
        { ...refused, outcome: "passed" },
      ],
    ],
  ])("%s", (_what, changes) => {
    expect(judged(changes)).toEqual([]);
  });
});

it("does not judge without a probe", () => {
  expect(judge(compressionUnsupported, {})).toBeUndefined();
});

it("does not judge by a first run that was refused", () => {
  expect(judged([refused])).toBeUndefined();
  expect(judged([good, refused])).toEqual([]);
});

describe("speaks", () => {
  it("of an encoding that is refused twice in a row", () => {
    expect(judged([good, refused, refused])).toEqual([
      {
        subject: { method: "order.OrderService/GetOrder" },
        witnesses: ["probe"],
        isDeterministic: true,
        summary:
          "order.OrderService/GetOrder is refused when its request is compressed with gzip: the server has no such codec",
        evidence: {
          encoding: "gzip",
          status: "UNIMPLEMENTED",
          statusText: GO,
          direction: "request",
        },
        beganAt: NOW - 30 * SECOND,
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
      },
    ]);
  });

  it.each([
    ["Java", "Can't find decompressor for gzip"],
    ["C-core", "Compression algorithm 'gzip' is disabled."],
    ["grpc-js", 'Received message compressed with unsupported encoding "gzip"'],
    ["tonic", "Content is compressed with `gzip` which isn't supported"],
    [".NET", "Unsupported grpc-encoding value 'gzip'. Supported encodings: identity"],
    ["connect-go", 'unknown compression "gzip": supported encodings are identity'],
  ])("in the words of %s", (_who, text) => {
    const [found] = judged([saying(text), saying(text)]) ?? [];
    expect(found?.evidence["encoding"]).toBe("gzip");
  });

  it("of the first refusal of a probe that runs seldom", () => {
    expect(judged([good, refused], { everyMs: 5 * MINUTE })).toHaveLength(1);
  });

  it("of a method once, however many probes call it", () => {
    const probes = { one: history([refused, refused]), two: history([refused, refused]) };
    expect(judge(compressionUnsupported, { probes: someProbes({ probes }) })).toHaveLength(1);
  });
});

it("expects a probe that compresses", () => {
  const isStated = (compression?: "gzip") =>
    compressionUnsupported.expects?.isStated(
      anExpectation({
        probes: [
          {
            name: "get-order",
            method: "order.OrderService/GetOrder",
            deadlineMs: 500,
            hasCredentials: false,
            ...(compression !== undefined && { compression }),
          },
        ],
      }),
    );
  expect([isStated(), isStated("gzip")]).toEqual([false, true]);
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(compressionUnsupported)).toEqual(factsDeclared(compressionUnsupported));
});
