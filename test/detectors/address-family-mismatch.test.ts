import { describe, expect, it } from "vitest";
import { addressFamilyMismatch } from "../../src/detectors/address-family-mismatch.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ReachRun } from "../../src/model/facts/reach.ts";
import type { DialAttempt } from "../../src/model/xray.ts";
import {
  aDial,
  anExpectation,
  anUpstreamExpectation,
  anXray,
  anXrayReport,
  aReach,
  aRefusedDial,
  type Change,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  someSurroundings,
} from "../support/snapshot.ts";

const V4 = "10.0.0.9:50051";
const V6 = "[fd00::9]:50051";
const BOTH = someSurroundings({ podAddresses: ["10.0.0.5", "fd00::5"] });
const LASTING = { since: NOW - MINUTE, lastAt: NOW, count: 3 };

interface Way {
  readonly dial: DialAttempt;
  readonly run?: Partial<ReachRun>;
}
const taken = (address = V4): Way => ({
  dial: aDial({ address, family: address.startsWith("[") ? "ipv6" : "ipv4" }),
});
const refused = (address = V6, run: Way["run"] = {}): Way => ({
  dial: aRefusedDial({ address, family: address.startsWith("[") ? "ipv6" : "ipv4" }),
  run,
});
const lost = (change: Change<DialAttempt>): Way => ({
  dial: aDial({ address: V6, family: "ipv6", connectMs: undefined, ...change }),
});

const ways = (...all: readonly Way[]): Pick<Facts, "xray" | "reach"> => {
  const runs = all.map(({ dial: { address, outcome }, run }) => [
    address,
    { outcome, ...LASTING, ...run },
  ]);
  return {
    xray: anXray({ latest: anXrayReport({ dials: all.map(({ dial }) => dial) }) }),
    reach: aReach({ runs: Object.fromEntries(runs) as Facts["reach"]["runs"] }),
  };
};
const upstream = (change: Change<Facts>) =>
  judge(addressFamilyMismatch, {
    expectation: anUpstreamExpectation(),
    surroundings: BOTH,
    ...change,
  });
describe("of an upstream, is silent when", () => {
  it.each<[string, Pick<Facts, "xray" | "reach">]>([
    ["both families lead there", ways(taken(), taken(V6))],
    ["neither does", ways(refused(V4), refused())],
    ["it has one family", ways(taken(), taken("10.0.0.10:50051"))],
    [
      "there is no IPv6 route at all",
      ways(taken(), lost({ outcome: "no-route", errno: "ENETUNREACH" })),
    ],
    [
      "the pod has no such address",
      ways(taken(), lost({ outcome: "error", errno: "EADDRNOTAVAIL" })),
    ],
    [
      "one of two replicas of that family takes us",
      ways(taken(), refused(), taken("[fd00::a]:50051")),
    ],
    [
      "a replica of the other family is down too",
      ways(taken(), refused("10.0.0.10:50051"), refused()),
    ],
  ])("%s", (_when, facts) => {
    expect(upstream(facts)).toEqual([]);
  });

  it.each([
    ["localhost", { kind: "name", name: "localhost" }],
    ["an address", { kind: "ip", name: "10.0.0.9" }],
  ] as const)("its target is %s", (_what, host) => {
    const expectation = anUpstreamExpectation({ host });
    expect(upstream({ expectation, ...ways(taken(), refused()) })).toEqual([]);
  });
});

describe("of an upstream, does not judge", () => {
  const sick = ways(taken(), refused());

  it.each<[string, Change<Facts>]>([
    ["in a mesh", { ...sick, surroundings: someSurroundings({ ...BOTH, mesh: true }) }],
    ["from a pod with IPv4 alone", { ...sick, surroundings: someSurroundings() }],
    [
      "from a pod with IPv6 alone",
      { ...sick, surroundings: someSurroundings({ podAddresses: ["fd00::5"] }) },
    ],
    ["from a pod that is not known", { ...sick, surroundings: undefined }],
    ["before three connects failed", ways(taken(), refused(V6, { count: 2 }))],
    ["within a minute", ways(taken(), refused(V6, { since: NOW - MINUTE + 1 }))],
    ["while the other family has just come", ways({ ...taken(), run: { count: 2 } }, refused())],
    ["before an X-ray", { reach: sick.reach }],
    ["before it has dialled", ways()],
    ["before a connect", { xray: sick.xray }],
  ])("%s", (_when, change) => {
    expect(upstream(change)).toBeUndefined();
  });
});

const symptom = {
  subject: { family: "ipv6" },
  witnesses: ["preflight", "dns"],
  isDeterministic: true,
  summary: "IPv6 does not lead to the server, and IPv4 does: [fd00::9]:50051 refuses",
  evidence: { addresses: [V6], errno: "ECONNREFUSED", attempts: 3, otherFamilyConnectMs: 0.2 },
  beganAt: NOW - MINUTE,
};

describe("of an upstream, speaks when", () => {
  it("one family refuses and the other connects", () => {
    expect(upstream(ways(taken(), refused()))).toEqual([symptom]);
  });

  it("one is silent", () => {
    expect(upstream(ways(taken(), lost({ outcome: "timeout" })))).toEqual([
      {
        ...symptom,
        summary: "IPv6 does not lead to the server, and IPv4 does: [fd00::9]:50051 does not answer",
        evidence: { addresses: [V6], attempts: 3, otherFamilyConnectMs: 0.2 },
      },
    ]);
  });

  it("IPv4 is the one", () => {
    expect(upstream(ways(refused(V4), taken(V6)))).toMatchObject([
      { subject: { family: "ipv4" }, evidence: { addresses: [V4] } },
    ]);
  });
});

it("is silent about the app's own port: nobody has said that it is meant for both", () => {
  const expectation = anExpectation({ host: { kind: "name", name: "orders.shop.svc" } });
  expect(upstream({ expectation, ...ways(taken(), refused()) })).toEqual([]);
});

it("reads what it declares", () => {
  expect(factsRead(addressFamilyMismatch)).toEqual(factsDeclared(addressFamilyMismatch));
});
