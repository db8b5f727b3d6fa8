import { describe, expect, it } from "vitest";
import { metadataTooLarge } from "../../src/detectors/metadata-too-large.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ProbeHistory } from "../../src/model/facts/probes.ts";
import {
  anExpectation,
  anXray,
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

const of = (bytes: number) => ({
  metadata: { bytes, largestKey: "authorization", largestValueBytes: bytes - 200 },
});
const good: RunChange = of(1_000);
const refused: RunChange = {
  ...of(9_000),
  outcome: "failed",
  phase: "rpc",
  reason: "status",
  status: "RESOURCE_EXHAUSTED",
  statusText: "received initial metadata size exceeds limit",
};
const reset: RunChange = {
  ...refused,
  statusText: "Bandwidth exhausted or memory limit exceeded",
};
const limited = (maxHeaderListSize: number): Partial<Facts> => ({
  xray: anXray({ lastSettings: { maxHeaderListSize } }),
});

const judged = (
  changes: readonly RunChange[],
  facts: Partial<Facts> = {},
  more: Change<ProbeHistory> = {},
) =>
  judge(metadataTooLarge, {
    probes: someProbes({
      probes: {
        "get-order": aProbeHistory({
          hasCredentials: true,
          runs: series(changes.length, 30 * SECOND, (at, index) =>
            aProbeRun({ at, ...changes[index] }),
          ),
          ...more,
        }),
      },
    }),
    ...facts,
  });

describe("is silent about", () => {
  it.each<[string, readonly RunChange[], Partial<Facts>]>([
    ["metadata that is small", [good, good], limited(16_384)],
    ["metadata at three quarters of the limit", [of(12_288), of(12_288)], limited(16_384)],
    [
      "20 000 bytes to a server that announces no limit and takes them",
      [of(20_000)],
      { xray: anXray() },
    ],
    ["a probe without metadata", [{}, {}], limited(16_384)],
    ["one refusal, as of one hop of several", [good, refused], {}],
    ["refusals that a pass parts", [refused, good, refused, good], {}],
    [
      "a reset of a call with small metadata",
      [
        { ...reset, ...of(6_144) },
        { ...reset, ...of(6_144) },
      ],
      {},
    ],
    [
      "a quota",
      [
        { ...refused, statusText: "quota exceeded" },
        { ...refused, statusText: "quota exceeded" },
      ],
      {},
    ],
    [
      "a refusal that the probe asks for",
      [
        { ...refused, outcome: "passed" },
        { ...refused, outcome: "passed" },
      ],
      {},
    ],
  ])("%s", (_what, changes, facts) => {
    expect(judged(changes, facts)).toEqual([]);
  });
});

it("does not judge without a probe", () => {
  expect(judge(metadataTooLarge, limited(100))).toBeUndefined();
});

it("does not judge by a first run that was refused", () => {
  expect(judged([refused])).toBeUndefined();
});

const symptom = {
  subject: { probe: "get-order" },
  severity: "critical",
  witnesses: ["probe", "preflight"],
  isDeterministic: true,
  summary:
    "The metadata of 9000 bytes of probe get-order was refused 2 times in a row; the server announces 8192",
  evidence: {
    metadataBytes: 9_000,
    limitBytes: 8_192,
    largestKey: "authorization",
    largestValueBytes: 8_800,
    failures: 2,
    statusText: "received initial metadata size exceeds limit",
  },
  beganAt: NOW - 30 * SECOND,
  traceId: "0af7651916cd43dd8448eb211c80319c",
  spanId: "b7ad6b7169203331",
};

describe("speaks", () => {
  it("of metadata that is refused twice in a row", () => {
    expect(judged([good, refused, refused], limited(8_192))).toEqual([symptom]);
  });

  it("of it by a server that announces nothing", () => {
    expect(judged([good, refused, refused])).toMatchObject([
      {
        severity: "critical",
        witnesses: ["probe"],
        summary: "The metadata of 9000 bytes of probe get-order was refused 2 times in a row",
      },
    ]);
  });

  it("of a reset that the size explains", () => {
    expect(judged([reset, reset], limited(8_192))).toMatchObject([{ severity: "critical" }]);
    expect(
      judged([
        { ...reset, ...of(6_145) },
        { ...reset, ...of(6_145) },
      ]),
    ).toHaveLength(1);
    expect(
      judged(
        [
          { ...reset, ...of(12_288) },
          { ...reset, ...of(12_288) },
        ],
        limited(16_384),
      ),
    ).toEqual([]);
  });

  it("of a reset by grpc-go, that the size explains", () => {
    const statusText = "Received RST_STREAM with code 6 triggered by internal client error";
    expect(
      judged([
        { ...refused, statusText },
        { ...refused, statusText },
      ]),
    ).toHaveLength(1);
    const small = { ...refused, ...of(1_000), statusText };
    expect(judged([small, small])).toEqual([]);
  });

  it.each([
    ["Go", "header list size to send violates the maximum size (100 bytes) set by server"],
    ["Java", "http2 exception: Header size exceeded max allowed size (8192)"],
    ["a proxy", "Received HTTP status code 431"],
  ])("in the words of %s", (_who, statusText) => {
    expect(
      judged([
        { ...refused, statusText },
        { ...refused, statusText },
      ]),
    ).toHaveLength(1);
  });

  it("of metadata that is near the limit", () => {
    expect(judged([good, of(12_289)], limited(16_384))).toEqual([
      {
        subject: { probe: "get-order" },
        severity: "warning",
        witnesses: ["probe", "preflight"],
        isDeterministic: true,
        summary:
          "The metadata of 12289 bytes of probe get-order is near the limit; the server announces 16384",
        evidence: {
          metadataBytes: 12_289,
          limitBytes: 16_384,
          largestKey: "authorization",
          largestValueBytes: 12_089,
        },
        traceId: "0af7651916cd43dd8448eb211c80319c",
        spanId: "b7ad6b7169203331",
      },
    ]);
  });

  it("of metadata that is above it, and was not refused yet", () => {
    expect(judged([of(16_385)], limited(16_384))).toMatchObject([
      {
        severity: "warning",
        summary:
          "The metadata of 16385 bytes of probe get-order is above the limit; the server announces 16384",
      },
    ]);
  });

  it("of the first refusal of a probe that runs seldom", () => {
    expect(judged([good, refused], {}, { everyMs: 5 * MINUTE })).toHaveLength(1);
  });
});

it("expects metadata", () => {
  const isStated = (hasCredentials: boolean) =>
    metadataTooLarge.expects?.isStated(
      anExpectation({
        probes: [{ name: "p", method: "a.B/C", deadlineMs: 500, hasCredentials }],
      }),
    );
  expect([isStated(false), isStated(true)]).toEqual([false, true]);
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(metadataTooLarge)).toEqual(factsDeclared(metadataTooLarge));
});
