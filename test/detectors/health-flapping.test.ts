import { describe, expect, it } from "vitest";
import { healthFlapping } from "../../src/detectors/health-flapping.ts";
import type { HealthTransition, ServiceHealth } from "../../src/model/facts/health.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import type { ExpectedHealth } from "../../src/model/target.ts";
import {
  anExpectation,
  anUpstreamExpectation,
  aServiceHealth,
  factsDeclared,
  factsRead,
  judge,
  NOW,
} from "../support/snapshot.ts";

const { window } = healthFlapping.limits;
const QUICK_MS = 120_000;

/** Down and up in turn, at so many ms before now, oldest first. */
function flips(...ages: readonly number[]): readonly HealthTransition[] {
  return ages.map((age, index) => ({
    at: NOW - age,
    from: index % 2 === 0 ? "SERVING" : "NOT_SERVING",
    to: index % 2 === 0 ? "NOT_SERVING" : "SERVING",
  }));
}

function judged(
  transitions: readonly HealthTransition[],
  change: Partial<ServiceHealth> = {},
  expected: ExpectedHealth = "SERVING",
) {
  return judge(healthFlapping, {
    health: { services: { "": aServiceHealth({ transitions, ...change }) } },
    expectation: anExpectation({ health: { services: [""], expect: expected } }),
  });
}

const four = flips(500_000, 400_000, 300_000, 200_000);

describe("is silent", () => {
  it.each([
    ["three changes, not quick", flips(500_000, 400_000, 300_000)],
    ["a fourth that is too old", flips(window.default + 1, 400_000, 300_000, 200_000)],
    ["three of which one is not quick", flips(QUICK_MS + 1, 20_000, 10_000)],
    ["two quick ones", flips(500_000, 20_000, 10_000)],
    [
      "a start that is none",
      [
        { at: NOW - 500_000, from: "NOT_SERVING" as const, to: "SERVING" as const },
        ...flips(400_000, 300_000, 200_000),
      ],
    ],
    [
      "what one Watch says and the next",
      flips(6e5, 5e5, 4e5, 3e5, 2e5, 1e5).map((flip) => ({ ...flip, isReopened: true as const })),
    ],
    ["names that come and go", four.map((flip) => ({ ...flip, from: "SERVICE_UNKNOWN" as const }))],
  ])("about %s", (_what, transitions) => {
    expect(judged(transitions)).toEqual([]);
  });

  it("where any status is fine", () => {
    expect(judged(four, {}, "any")).toEqual([]);
  });

  it("while health is not known, or has not been for two minutes", () => {
    expect(judge(healthFlapping, { expectation: anExpectation() })).toBeUndefined();
    expect(judged([], { sinceAt: NOW - QUICK_MS + 1 })).toBeUndefined();
    expect(judged(flips(20_000, 10_000), { sinceAt: NOW - 10_000 })).toBeUndefined();
    expect(judged([], { sinceAt: NOW - QUICK_MS })).toEqual([]);
  });
});

describe("speaks", () => {
  it("of four changes within the window", () => {
    expect(judged(flips(window.default, 400_000, 300_000, 298_750))).toEqual([
      {
        subject: { service: "" },
        severity: "warning",
        witnesses: ["health"],
        isDeterministic: true,
        summary: "Health of the server changed 4 times in 10 min",
        evidence: {
          transitions: 4,
          windowSeconds: 600,
          timeline: [
            "11:50:00.000Z NOT_SERVING",
            "11:53:20.000Z SERVING",
            "11:55:00.000Z NOT_SERVING",
            "11:55:01.250Z SERVING",
          ],
          shortestMs: 1250,
        },
      },
    ]);
  });

  it("of three changes within two minutes", () => {
    expect(judged(flips(QUICK_MS, 20_000, 10_000))).toHaveLength(1);
  });

  it.each([
    ["six that were watched", flips(6e5, 5e5, 4e5, 3e5, 2e5, 1e5), "watch", "critical"],
    ["five that were watched", flips(5e5, 4e5, 3e5, 2e5, 1e5), "watch", "warning"],
    ["six that were polled", flips(6e5, 5e5, 4e5, 3e5, 2e5, 1e5), "check", "warning"],
  ] as const)("of %s", (_what, transitions, via, severity) => {
    expect(judged(transitions, { via })?.map((found) => found.severity)).toEqual([severity]);
  });
});

const REFLECTED: Facts["services"] = {
  methods: [{ name: "order.OrderService/GetOrder", kind: "unary" }],
};
const LISTED: Facts["services"] = { health: ["", "shop.Orders", "leader"] };

it.each<[string, string, string, Facts["services"]?]>([
  ["a role that only the server lists", "quis.RaftLeader", "info"],
  ["a service by its reflection", "order.OrderService", "critical"],
  ["a service of a probe", "cart.CartService", "critical"],
  ["a service without reflection", "shop.Orders", "critical", LISTED],
  ["a plain word without reflection", "leader", "info", LISTED],
])("tells of %s", (_what, service, severity, services = REFLECTED) => {
  const transitions = flips(6e5, 5e5, 4e5, 3e5, 2e5, 1e5);
  const probes = [
    { name: "cart", method: "cart.CartService/Get", deadlineMs: 1000, hasCredentials: false },
  ];
  const found = judge(healthFlapping, {
    health: { services: { [service]: aServiceHealth({ transitions }) } },
    expectation: anExpectation({ probes }),
    services,
  });
  expect(found?.map((symptom) => symptom.severity)).toEqual([severity]);
});

describe("of an upstream", () => {
  const sixOf = (via: ServiceHealth["via"], expectation = anUpstreamExpectation()) =>
    judge(healthFlapping, {
      health: {
        services: {
          "": aServiceHealth({ via, transitions: flips(6e5, 5e5, 4e5, 3e5, 2e5, 1e5) }),
        },
      },
      expectation,
    });

  it("polled answers are an info: a balancer may ask one replica after the other", () => {
    expect(sixOf("check")).toMatchObject([
      {
        severity: "info",
        summary:
          "Health of the server changed 6 times in 10 min, or several replicas with different ones answered in turn",
      },
    ]);
  });

  it.each([
    ["a name, which may be that of a service", { kind: "name", name: "orders.shop.svc" }, "info"],
    ["localhost", { kind: "name", name: "localhost" }, "warning"],
    ["an address", { kind: "ip", name: "10.0.0.5" }, "warning"],
  ] as const)("an app is told alike where it is addressed by %s", (_what, host, severity) => {
    const told = sixOf("check", anExpectation({ host }));
    expect(told?.map((symptom) => symptom.severity)).toEqual([severity]);
  });

  it("a stream that stays with one replica speaks as ever", () => {
    expect(sixOf("watch")).toMatchObject([
      { severity: "critical", summary: "Health of the server changed 6 times in 10 min" },
    ]);
  });
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(healthFlapping)).toEqual(factsDeclared(healthFlapping));
});
