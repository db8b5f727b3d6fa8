import { expect, it } from "vitest";
import { nearestName } from "../../src/model/nearest.ts";

it.each([
  ["orders", [], undefined],
  ["orders", ["users", "orders"], "orders"],
  ["orders.shop.svc", ["payments.shop.svc", "order.shop.svc"], "order.shop.svc"],
  ["order.shop.svc", ["payments.shop.svc", "orders.shop.svc"], "orders.shop.svc"],
  ["abc", ["abd", "abe"], "abd"],
  ["abc", ["", "abcdef", "xbc"], "xbc"],
])("of %s among %j is %s", (name, candidates, nearest) => {
  expect(nearestName(name, candidates)).toBe(nearest);
});
