import { describe, expect, it } from "vitest";
import { healthUnknownService } from "../../src/detectors/health-unknown-service.ts";
import type { Facts } from "../../src/model/facts/index.ts";
import {
  anExpectation,
  aServiceHealth,
  factsDeclared,
  factsRead,
  judge,
  MINUTE,
  NOW,
  someServices,
} from "../support/snapshot.ts";

const { grace } = healthUnknownService.limits;
const NAME = "order.OrderServce";

type Change = NonNullable<Parameters<typeof aServiceHealth>[0]>;

const sick: Change = {
  status: "SERVICE_UNKNOWN",
  sinceAt: NOW - 5 * MINUTE,
  via: "check",
  everServing: false,
  everKnown: false,
  unknownInRow: 2,
};

function judged(
  change: Change,
  configured: readonly string[] = [NAME],
  facts: Partial<Facts> = {},
) {
  return judge(healthUnknownService, {
    health: { services: { [NAME]: aServiceHealth({ ...sick, ...change }) } },
    expectation: anExpectation({ health: { services: configured, expect: "SERVING" } }),
    ...facts,
  });
}

describe("is silent about", () => {
  it.each<[string, Change]>([
    ["a name that is known", { status: "NOT_SERVING" }],
    ["one answer of Check", { unknownInRow: 1 }],
    ["a name within its grace", { sinceAt: NOW - grace.default + 1 }],
  ])("%s", (_what, change) => {
    expect(judged(change)).toEqual([]);
  });

  it("a name that nobody configured, and the empty one", () => {
    expect(judged({}, [])).toEqual([]);
    const health = { services: { "": aServiceHealth(sick) } };
    expect(judge(healthUnknownService, { health, expectation: anExpectation() })).toEqual([]);
  });
});

describe("does not judge", () => {
  it("a name that was not asked yet, nor without health", () => {
    expect(judged({}, ["another"])).toBeUndefined();
    expect(judge(healthUnknownService, { expectation: anExpectation() })).toBeUndefined();
  });
});

describe("speaks", () => {
  it("of a name that the server does not know, and of the nearest that it does", () => {
    const services = someServices({ health: ["", "order.OrderService", "other.Thing"] });
    expect(judged({}, [NAME], { services })).toEqual([
      {
        subject: { service: NAME },
        witnesses: ["health"],
        summary: `The server has not known ${NAME} for 5 min; the nearest name that it knows is order.OrderService`,
        evidence: {
          answer: "NOT_FOUND",
          via: "check",
          sinceAt: "2026-01-15T11:55:00.000Z",
          known: ["order.OrderService", "other.Thing"],
          nearest: "order.OrderService",
        },
      },
    ]);
  });

  it.each<[string, Change]>([
    ["exactly at the end of its grace", { sinceAt: NOW - grace.default }],
    ["at once, if it was known before", { everKnown: true, sinceAt: NOW - 1 }],
    ["of one message of a Watch, which stands", { via: "watch", unknownInRow: 1 }],
  ])("%s", (_when, change) => {
    expect(judged(change)).toHaveLength(1);
  });

  it("of the first answer to one look, which sees no second and grants no grace", () => {
    const expectation = anExpectation({
      health: { services: [NAME], expect: "SERVING" },
      startupMs: 0,
    });
    expect(judged({ unknownInRow: 1, sinceAt: NOW }, [NAME], { expectation })).toHaveLength(1);
  });

  it.each([
    ["nothing", undefined, []],
    [
      "what reflection describes",
      {
        health: undefined,
        methods: [
          { name: "b.Second/Do", kind: "unary" as const },
          { name: "a.First/Do", kind: "unary" as const },
          { name: "a.First/Other", kind: "unary" as const },
        ],
      },
      ["a.First", "b.Second"],
    ],
  ])("and suggests %s", (_what, services, known) => {
    const facts = services === undefined ? {} : { services: someServices(services) };
    expect(judged({}, [NAME], facts)?.map(({ evidence }) => evidence["known"])).toEqual([known]);
  });

  it("in the words of the one who answered", () => {
    const answers = [judged({ via: "watch" }), judged({ via: "check" })].map((found) =>
      found?.map(({ evidence }) => evidence["answer"]),
    );
    expect(answers).toEqual([["SERVICE_UNKNOWN"], ["NOT_FOUND"]]);
  });
});

it("reads what it declares, and nothing else", () => {
  expect(factsRead(healthUnknownService)).toEqual(factsDeclared(healthUnknownService));
});
