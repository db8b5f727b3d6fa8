import { expect, it } from "vitest";
import { targetHealth } from "../../src/http/target-health.ts";
import { aTarget, someSettings } from "../sinks/prometheus-values.ts";
import {
  aKept,
  aServiceHealth,
  aSnapshot,
  aTargetSnapshot,
  known,
  NOW,
  someHealth,
} from "../support/snapshot.ts";

const health = { services: ["", "order.OrderService"], expect: "SERVING" } as const;
const settings = someSettings({ targets: [aTarget({ health })] });
const heard = someHealth({
  services: {
    "": aServiceHealth(),
    "order.OrderService": aServiceHealth({ status: "NOT_SERVING" }),
    secret: aServiceHealth(),
  },
});

const world = (facts: Parameters<typeof aTargetSnapshot>[0] = {}, at = NOW) => ({
  snapshot: aSnapshot({
    targets: { app: aTargetSnapshot({ facts: { health: known(heard, at) }, ...facts }) },
  }),
  settings,
  now: NOW,
});
const stale = { kind: "stale" };
const serving = { kind: "status", status: "SERVING" };

it("passes the status of a configured service on", () => {
  expect(targetHealth(world(), "app", "")).toEqual(serving);
  expect(targetHealth(world(), "app", "order.OrderService")).toEqual({
    kind: "status",
    status: "NOT_SERVING",
  });
});

it("says nothing of names that nobody configured", () => {
  expect(targetHealth(world(), "app", "secret")).toEqual({ kind: "not-configured" });
  expect(targetHealth(world(), "other", "")).toEqual({ kind: "not-configured" });
});

it("passes no state on that it does not know", () => {
  expect(targetHealth(world({ facts: {} }), "app", "")).toEqual(stale);
});

it("passes a state on that is two polls old, and none that is older", () => {
  expect(targetHealth(world({}, NOW - 20_000), "app", "")).toEqual(serving);
  expect(targetHealth(world({}, NOW - 20_001), "app", "")).toEqual(stale);
});

const quiet = known(heard, NOW - 3_600_000);

it("trusts a silent Watch while its connection answers", () => {
  const open = { facts: { health: quiet, kept: known(aKept({ lastReplyAt: NOW - 10_000 })) } };
  expect(targetHealth(world(open), "app", "")).toEqual(serving);
});

it.each([
  ["does not answer", aKept({ lastReplyAt: NOW - 20_001 })],
  ["never answered", aKept({ lastReplyAt: undefined })],
  ["is closed", aKept({ state: "closed" })],
])("does not when its connection %s", (_what, kept) => {
  const facts = { facts: { health: quiet, kept: known(kept) } };
  expect(targetHealth(world(facts), "app", "")).toEqual(stale);
});
