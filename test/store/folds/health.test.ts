import { expect, it } from "vitest";
import type { Observation } from "../../../src/model/observation.ts";
import { folded } from "../../support/folded.ts";
import { after, aHealthErrorAt, aStatusAt } from "../../support/observations.ts";
import { anExpectation, NOW } from "../../support/snapshot.ts";

const bad = { status: "NOT_SERVING" } as const;
const unknown = { status: "SERVICE_UNKNOWN" } as const;
const check = { via: "check" } as const;

const serving = {
  status: "SERVING",
  sinceAt: NOW,
  via: "watch",
  everServing: true,
  everKnown: true,
  transitions: [],
  unknownInRow: 0,
};

const fell = { at: after(10), from: "SERVING", to: "NOT_SERVING" };
const rose = (seconds: number) => ({ at: after(seconds), from: "NOT_SERVING", to: "SERVING" });

it.each<[string, readonly Observation[], object]>([
  ["it serves", [aStatusAt(0)], serving],
  ["a Check agrees with the Watch", [aStatusAt(0), aStatusAt(10, check)], serving],
  ["it is told again after a reconnect", [aStatusAt(0), aStatusAt(60)], serving],
  [
    "a Check disagrees",
    [aStatusAt(0), aStatusAt(10, { ...check, ...bad })],
    {
      ...serving,
      ...bad,
      via: "check",
      sinceAt: after(10),
      transitions: [{ at: after(10), from: "SERVING", to: "NOT_SERVING" }],
    },
  ],
  [
    "a Watch agrees with the Check later",
    [aStatusAt(0), aStatusAt(10, { ...check, ...bad }), aStatusAt(25, bad)],
    {
      ...serving,
      ...bad,
      sinceAt: after(10),
      transitions: [{ at: after(10), from: "SERVING", to: "NOT_SERVING" }],
    },
  ],
  [
    "a Check takes back what the Watch has just told",
    [aStatusAt(0), aStatusAt(10, bad), aStatusAt(15, check)],
    {
      ...serving,
      via: "check",
      sinceAt: after(15),
      transitions: [fell, { ...rose(15), isReopened: true }],
    },
  ],
  [
    "a Check takes back what the Watch told before its answer can have been on its way",
    [aStatusAt(0), aStatusAt(10, bad), aStatusAt(15.001, check)],
    { ...serving, via: "check", sinceAt: after(15.001), transitions: [fell, rose(15.001)] },
  ],
  [
    "a Check takes back what another Check told, and the Watch confirmed",
    [aStatusAt(0), aStatusAt(10, { ...check, ...bad }), aStatusAt(19, bad), aStatusAt(20, check)],
    { ...serving, via: "check", sinceAt: after(20), transitions: [fell, rose(20)] },
  ],
  [
    "the Watch confirms the Check that took it back",
    [aStatusAt(0), aStatusAt(10, bad), aStatusAt(12, check), aStatusAt(13)],
    { ...serving, sinceAt: after(12), transitions: [fell, rose(12)] },
  ],
  [
    "the next Check confirms the one that took back what the Watch told",
    [aStatusAt(0), aStatusAt(10, bad), aStatusAt(12, check), aStatusAt(22, check)],
    { ...serving, via: "check", sinceAt: after(12), transitions: [fell, rose(12)] },
  ],
  [
    "the next Check says what the Watch told: the one between was late",
    [aStatusAt(0), aStatusAt(10, bad), aStatusAt(10, check), aStatusAt(20, { ...check, ...bad })],
    { ...serving, ...bad, sinceAt: after(10), transitions: [fell] },
  ],
  [
    "the next Watch disagrees",
    [aStatusAt(0, { isFirst: true }), aStatusAt(15, { ...bad, isFirst: true })],
    {
      ...serving,
      ...bad,
      sinceAt: after(15),
      transitions: [{ at: after(15), from: "SERVING", to: "NOT_SERVING", isReopened: true }],
    },
  ],
  [
    "it comes back",
    [aStatusAt(0), aStatusAt(5, bad), aStatusAt(9)],
    {
      ...serving,
      sinceAt: after(9),
      transitions: [
        { at: after(5), from: "SERVING", to: "NOT_SERVING" },
        { at: after(9), from: "NOT_SERVING", to: "SERVING" },
      ],
    },
  ],
  [
    "its name is not known",
    [aStatusAt(0, unknown), aStatusAt(10, unknown)],
    {
      ...serving,
      ...unknown,
      everServing: false,
      everKnown: false,
      unknownInRow: 2,
    },
  ],
  [
    "Check says NOT_FOUND",
    [aHealthErrorAt(0, { code: "NOT_FOUND" })],
    {
      ...serving,
      ...unknown,
      via: "check",
      everServing: false,
      everKnown: false,
      unknownInRow: 1,
    },
  ],
  [
    "a name is known at last",
    [aStatusAt(0, unknown), aStatusAt(10)],
    { ...serving, sinceAt: after(10) },
  ],
  [
    "a name is unknown for a while",
    [aStatusAt(0), aStatusAt(5, unknown), aStatusAt(9)],
    {
      ...serving,
      sinceAt: after(9),
    },
  ],
  [
    "an error comes first",
    [aHealthErrorAt(0)],
    {
      ...serving,
      status: "UNKNOWN",
      via: "check",
      everServing: false,
      everKnown: false,
      errors: { count: 1, since: NOW, lastAt: NOW, code: "UNAVAILABLE", text: "no upstream" },
    },
  ],
  ["an error was first", [aHealthErrorAt(0), aStatusAt(5)], { ...serving, sinceAt: after(5) }],
  [
    "errors follow each other",
    [aStatusAt(0), aHealthErrorAt(10), aHealthErrorAt(20, { code: "INTERNAL", text: "x" })],
    {
      ...serving,
      errors: { count: 2, since: after(10), lastAt: after(20), code: "INTERNAL", text: "x" },
    },
  ],
  ["errors are over", [aStatusAt(0), aHealthErrorAt(10), aStatusAt(20, check)], serving],
])("tells of a service whole when %s", (_when, observations, want) => {
  expect(folded("health", observations)).toEqual({ services: { "": want } });
});

const configured = (seconds: number, ...services: readonly string[]): Observation => ({
  source: "config",
  kind: "configured",
  target: "app",
  at: after(seconds),
  expectation: anExpectation({ health: { services, expect: "SERVING" } }),
});
const discovered = Array.from({ length: 10 }, (_, i) => aStatusAt(i, { service: `found-${i}` }));
const names = (observations: readonly Observation[]) =>
  Object.keys(folded("health", observations)?.services ?? {});

it("keeps ten services, and lets a configured one displace a discovered one", () => {
  const later = aStatusAt(20, { service: "order.OrderService" });
  expect(names([...discovered, later])).not.toContain("order.OrderService");
  const wanted = names([configured(0, "order.OrderService"), ...discovered, later]);
  expect(wanted).toHaveLength(10);
  expect(wanted).toContain("order.OrderService");
});

it("drops a service that is configured no more, and keeps what was discovered", () => {
  const seen = [aStatusAt(1, { service: "a" }), aStatusAt(1, { service: "b" })];
  expect(names([configured(0, "a"), ...seen, configured(2)])).toEqual(["b"]);
});

it("keeps forty transitions", () => {
  const flips = Array.from({ length: 60 }, (_, i) => aStatusAt(i, i % 2 === 0 ? {} : bad));
  expect(folded("health", flips)?.services[""]?.transitions).toHaveLength(40);
});

it("counts each change that Check hears fifteen seconds before the Watch", () => {
  const told = Array.from({ length: 9 }, (_, i) => {
    const status = i % 2 === 0 ? bad : {};
    return [aStatusAt(60 * (i + 1), { ...check, ...status }), aStatusAt(60 * (i + 1) + 15, status)];
  });
  const health = folded("health", [aStatusAt(0), ...told.flat()])?.services[""];
  expect(health?.transitions).toHaveLength(9);
  expect(health?.transitions.filter(({ isReopened }) => isReopened)).toEqual([]);
});
