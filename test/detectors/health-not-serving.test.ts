import { describe, expect, it } from "vitest";
import { healthNotServing } from "../../src/detectors/health-not-serving.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import {
  aChannelGroup,
  anExpectation,
  anUpstreamExpectation,
  aServiceHealth,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  SECOND,
  someChannels,
} from "../support/snapshot.ts";

type Change = NonNullable<Parameters<typeof aServiceHealth>[0]>;

const sick: Change = { status: "NOT_SERVING", sinceAt: NOW - 45 * SECOND };
const startup = 10 * MINUTE;

const LISTED: Facts["services"] = { health: ["", "shop.Orders", "leader"] };
const FOUND: Facts["services"] = { methods: [{ name: "found.Service/Get", kind: "unary" }] };

interface World {
  readonly service?: string;
  readonly expect?: "SERVING" | "NOT_SERVING" | "any";
  readonly channels?: Facts["channels"];
  readonly services?: Facts["services"];
}

function judged(
  change: Change,
  { service = "", expect: expected = "SERVING", ...others }: World = {},
) {
  return judge(healthNotServing, {
    health: {
      services: { [service]: aServiceHealth({ ...sick, ...change }), other: aServiceHealth() },
    },
    expectation: anExpectation({
      health: { services: ["", "order.OrderService"], expect: expected },
      startupMs: startup,
    }),
    ...others,
  });
}

const errors = {
  count: 3,
  since: NOW - 20 * SECOND,
  lastAt: NOW,
  code: "UNAVAILABLE",
  text: "no healthy upstream",
} as const;

describe("is silent about", () => {
  it.each<[string, Change, World]>([
    ["SERVING", { status: "SERVING" }, {}],
    ["UNKNOWN of a name that never served", { status: "UNKNOWN", everServing: false }, {}],
    ["SERVICE_UNKNOWN", { status: "SERVICE_UNKNOWN" }, {}],
    ["anything where any status is fine", {}, { expect: "any" }],
    ["NOT_SERVING where it is expected", {}, { expect: "NOT_SERVING" }],
    [
      "SERVING of a discovered name on a stand-by",
      { status: "SERVING" },
      { service: "found", expect: "NOT_SERVING" },
    ],
    [
      "a discovered name that was never SERVING on a stand-by",
      { everServing: false, sinceAt: 0 },
      { service: "found", expect: "NOT_SERVING" },
    ],
    [
      "fewer errors than the limit, of one that was known",
      { status: "SERVING", errors: { ...errors, count: 2 } },
      {},
    ],
    ["errors of a discovered name", { status: "SERVING", errors }, { service: "found" }],
  ])("%s", (_what, change, world) => {
    expect(judged(change, world)).toEqual([]);
  });

  it.each(["UNKNOWN", "INVALID_ARGUMENT", "FAILED_PRECONDITION", "INTERNAL"] as const)(
    "%s of a server that never told a status: it refuses us",
    (code) => {
      const refused = aServiceHealth({
        status: "UNKNOWN",
        everServing: false,
        everKnown: false,
        errors: { ...errors, code },
      });
      const change = { expectation: anExpectation(), health: { services: { "": refused } } };
      expect(judge(healthNotServing, change)).toBeUndefined();
      const known = aServiceHealth({ status: "SERVING" });
      const both = { ...change, health: { services: { "": refused, known } } };
      expect(judge(healthNotServing, both)).toEqual([]);
    },
  );

  it("a name of which no more than an error was heard, and not often enough to tell", () => {
    const once = { everKnown: false, everServing: false, errors: { ...errors, count: 1 } } as const;
    expect(judged({ status: "UNKNOWN", ...once })).toBeUndefined();
    expect(judged({ status: "UNKNOWN", ...once }, { service: "found" })).toEqual([]);
  });

  it("nothing that it does not know", () => {
    expect(judge(healthNotServing, { expectation: anExpectation() })).toBeUndefined();
  });
});

it.each([
  ["a name", {}, "warning"],
  ["a discovered name", { service: "found" }, "info"],
] as const)("does no more than suspect %s that is still starting", (_what, world, severity) => {
  const starting = { everServing: false, sinceAt: NOW - startup + 1 };
  expect(judged(starting, world)).toMatchObject([
    { isSuspicion: true, holdMs: startup, severity, evidence: { everServing: false } },
  ]);
});

describe("speaks", () => {
  it("critically of a server that was SERVING", () => {
    expect(judged({})).toEqual([
      {
        subject: { service: "" },
        severity: "critical",
        witnesses: ["health"],
        isDeterministic: true,
        summary: "Health of the server has declared NOT_SERVING for 45 s",
        evidence: {
          cause: "declared",
          status: "NOT_SERVING",
          sinceAt: "2026-01-15T11:59:15.000Z",
          expected: "SERVING",
          everServing: true,
          via: "watch",
          otherServices: ["other SERVING"],
        },
      },
    ]);
  });

  it.each<[string, Change, World, string]>([
    ["a configured name that was SERVING", {}, { service: "order.OrderService" }, "critical"],
    [
      "a role that only the server lists",
      {},
      { service: "quis.RaftLeader", services: FOUND },
      "info",
    ],
    ["a service without reflection", {}, { service: "shop.Orders", services: LISTED }, "warning"],
    ["a service of which nothing is read", {}, { service: "shop.Orders" }, "warning"],
    ["a plain word without reflection", {}, { service: "leader", services: LISTED }, "info"],
    ["a discovered service that was", {}, { service: "found.Service", services: FOUND }, "warning"],
    ["a name that never came up", { everServing: false, sinceAt: NOW - startup }, {}, "warning"],
    [
      "a discovered name that never did, which may be meant",
      { everServing: false, sinceAt: NOW - startup },
      { service: "found" },
      "info",
    ],
    ["UNKNOWN after SERVING", { status: "UNKNOWN" }, {}, "critical"],
    ["a stand-by that serves", { status: "SERVING" }, { expect: "NOT_SERVING" }, "warning"],
  ])("of %s", (_what, change, world, severity) => {
    expect(judged(change, world)?.map((found) => found.severity)).toEqual([severity]);
    expect(judged(change, world)?.[0]).not.toHaveProperty("isSuspicion");
  });

  it("no more than as a warning of an upstream that differs from one Watch to the next", () => {
    const flip = { at: NOW - 45 * SECOND, from: "SERVING", to: "NOT_SERVING" } as const;
    const severities = (expectation: Facts["expectation"]) =>
      [{ ...flip, isReopened: true as const }, flip].map((last) => {
        const services = { "": aServiceHealth({ ...sick, transitions: [last] }) };
        return judge(healthNotServing, { health: { services }, expectation })?.[0]?.severity;
      });
    const health = { services: [""], expect: "SERVING" } as const;
    const service = { kind: "name", name: "orders.shop.svc" } as const;
    expect(severities(anUpstreamExpectation({ health }))).toEqual(["warning", "critical"]);
    expect(severities(anExpectation({ health, host: service }))).toEqual(["warning", "critical"]);
    expect(severities(anExpectation({ health }))).toEqual(["critical", "critical"]);
  });

  it("of errors over a working connection, instead of the status before them", () => {
    expect(judged({ status: "SERVING", via: "check", errors })).toEqual([
      {
        subject: { service: "" },
        severity: "warning",
        witnesses: ["health"],
        isDeterministic: true,
        summary:
          "Health of the server was answered UNAVAILABLE 3 times in a row by a working connection",
        remedy:
          "The app declares nothing: a proxy answers for a server that it does not reach, or the handler of health fails. Read the text in the evidence, and ask the server without the proxy.",
        evidence: {
          cause: "check-error",
          status: "UNAVAILABLE",
          statusText: "no healthy upstream",
          sinceAt: "2026-01-15T11:59:40.000Z",
          expected: "SERVING",
          everServing: true,
          via: "check",
          otherServices: ["other SERVING"],
        },
      },
    ]);
  });
});

describe("names the dependency that is down", () => {
  const down = aChannelGroup({ states: { TRANSIENT_FAILURE: 1 } });
  const up = aChannelGroup({ states: { READY: 1, TRANSIENT_FAILURE: 1 } });
  const named = (upstreams: Facts["channels"]["polls"][number]["upstreams"]) =>
    judged({}, { channels: someChannels({ polls: [{ at: NOW, upstreams }] }) })?.map(
      ({ evidence }) => evidence["dependency"],
    );

  it.each([
    ["if it is the only one", { "a:1": down, "b:1": up }, "a:1"],
    ["not if it has a connection", { "b:1": up }, undefined],
    ["not if there are two", { "a:1": down, "c:1": down }, undefined],
  ])("%s", (_when, upstreams, dependency) => {
    expect(named(upstreams)).toEqual([dependency]);
  });
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(healthNotServing)).toEqual(factsDeclared(healthNotServing));
});
