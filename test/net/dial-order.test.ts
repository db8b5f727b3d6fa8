import { expect, it } from "vitest";
import { dialOrder } from "../../src/net/dial-order.ts";

const FOUR = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];
const ordersOf = (addresses: readonly string[]) =>
  Array.from({ length: 1_000 }, (_, pod) => dialOrder(addresses, `pod-${pod}`));

it("loses no address, and keeps its order", () => {
  expect(dialOrder(FOUR, "pod-1").toSorted()).toEqual(FOUR);
  expect(dialOrder(FOUR.toReversed(), "pod-1")).toEqual(dialOrder(FOUR, "pod-1"));
});

it("gives each address its share of a fleet", () => {
  const firsts = ordersOf(FOUR).map(([first]) => first);
  const shares = FOUR.map((address) => firsts.filter((first) => first === address).length);
  expect(Math.min(...shares)).toBeGreaterThan(210);
  expect(Math.max(...shares)).toBeLessThan(290);
});

it("moves nobody but the pods whose address has left", () => {
  const [gone, ...others] = FOUR;
  const before = ordersOf(FOUR).map((order) => order.filter((address) => address !== gone));
  expect(ordersOf(others)).toEqual(before);
});
