import { expect, it } from "vitest";
import type { Observation } from "../../../src/model/observation.ts";
import { folded } from "../../support/folded.ts";
import { after, anOpeningAt, anXrayAt, aReadAt, aRefusalAt } from "../../support/observations.ts";
import { aDial, NOW } from "../../support/snapshot.ts";

const HOME = "127.0.0.1:50051";
const refusedDial = (seconds: number, address: string) =>
  aDial({
    at: after(seconds),
    address,
    outcome: "refused",
    errno: "ECONNREFUSED",
    connectMs: undefined,
  });
const pod = (seconds: number, address = "10.0.0.5:50051") =>
  anXrayAt(seconds, { podDial: refusedDial(seconds, address) });
const REFUSED = { outcome: "refused", errno: "ECONNREFUSED" };

it.each<[string, readonly Observation[], object | undefined]>([
  ["a round connects", [anXrayAt(0)], undefined],
  ["the X-ray ends before it dials", [anXrayAt(0, { phase: "dns", dials: [] })], undefined],
  ["a connect follows", [aRefusalAt(0), anXrayAt(5)], undefined],
  ["the kept connection opens", [aRefusalAt(0), anOpeningAt(5)], undefined],
  [
    "one of its addresses connects",
    [anXrayAt(0, { dials: [refusedDial(0, "[::1]:50051"), aDial({ at: NOW, address: HOME })] })],
    undefined,
  ],
  ["a round fails", [aRefusalAt(0)], { since: NOW, lastAt: NOW, rounds: 1 }],
  [
    "rounds fail in a row",
    [anXrayAt(0), aRefusalAt(5), aRefusalAt(9)],
    {
      since: after(5),
      lastAt: after(9),
      rounds: 2,
    },
  ],
  [
    "a round in between did not dial",
    [aRefusalAt(5), anXrayAt(7, { dials: [] }), aRefusalAt(9)],
    {
      since: after(5),
      lastAt: after(9),
      rounds: 2,
    },
  ],
])("counts failing rounds when %s", (_when, observations, failing) => {
  expect(folded("reach", observations)?.failing).toEqual(failing);
});

it("remembers each address by its unbroken run", () => {
  const fact = folded("reach", [anXrayAt(0), aRefusalAt(5), aRefusalAt(9), anOpeningAt(12)]);
  expect(fact).toMatchObject({ firstTriedAt: NOW, lastConnectedAt: after(12), everListened: true });
  expect(fact?.runs[HOME]).toEqual({
    outcome: "connected",
    since: after(12),
    lastAt: after(12),
    count: 1,
  });
  expect(folded("reach", [anXrayAt(0), aRefusalAt(5), aRefusalAt(9)])?.runs[HOME]).toEqual({
    ...REFUSED,
    since: after(5),
    lastAt: after(9),
    count: 2,
  });
});

it("knows of a LISTEN row that was seen before the first refusal", () => {
  expect(folded("reach", [aReadAt(0), aRefusalAt(5)])?.everListened).toBe(true);
  expect(folded("reach", [aRefusalAt(5)])?.everListened).toBe(false);
});

it.each<[string, readonly Observation[], object | undefined]>([
  ["was never dialled", [anXrayAt(0)], undefined],
  ["was refused twice", [pod(0), pod(2)], { since: NOW, lastAt: after(2), count: 2 }],
  [
    "was not asked for in between",
    [pod(0), anXrayAt(2), pod(4)],
    {
      since: NOW,
      lastAt: after(4),
      count: 2,
    },
  ],
  [
    "is another now",
    [pod(0, "10.0.0.4:50051"), pod(2)],
    {
      since: after(2),
      lastAt: after(2),
      count: 1,
    },
  ],
  ["was dialled long ago", [pod(0), anXrayAt(76)], undefined],
])("remembers how the pod's address %s", (_how, observations, run) => {
  const want = run === undefined ? undefined : { address: "10.0.0.5:50051", ...REFUSED, ...run };
  expect(folded("reach", observations)?.pod).toEqual(want);
});

it("keeps 40 attempts and the runs of 40 addresses", () => {
  const many = Array.from({ length: 60 }, (_, i) => aRefusalAt(i, `10.0.0.${i}:1`));
  const fact = folded("reach", many);
  expect([fact?.attempts.length, Object.keys(fact?.runs ?? {}).length]).toEqual([40, 40]);
  expect(fact?.runs).toHaveProperty(["10.0.0.59:1"]);
});
