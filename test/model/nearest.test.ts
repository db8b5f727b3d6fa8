import { expect, it } from "vitest";
import { nearest, nearestName } from "../../src/model/nearest.ts";

it.each([
  ["orders", [], undefined],
  ["orders", ["users", "orders"], "orders"],
  ["orders.shop.svc", ["payments.shop.svc", "order.shop.svc"], "order.shop.svc"],
  ["order.shop.svc", ["payments.shop.svc", "orders.shop.svc"], "orders.shop.svc"],
  ["abc", ["abd", "abe"], "abd"],
  ["abc", ["", "abcdef", "xbc"], "xbc"],
  ["abcd", ["abxy", "acbd"], "acbd"],
])("of %s among %j is %s", (name, candidates, nearest) => {
  expect(nearestName(name, candidates)).toBe(nearest);
});

it.each([
  ["dns-stael", "dns-stale"],
  ["adress", "address"],
  ["crit", "critical"],
  ["Address", "address"],
  ["zzz", undefined],
  ["x".repeat(1000), undefined],
])("offers for %s the name %s", (found, name) => {
  expect(nearest(found, ["address", "dns-stale", "critical"])).toBe(name);
});
