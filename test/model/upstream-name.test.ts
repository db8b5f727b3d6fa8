import { expect, it } from "vitest";
import { addressOf, upstreamName } from "../../src/model/upstream-name.ts";

it.each([
  ["dns:///Orders.shop.svc.:50051", { name: "orders.shop.svc:50051" }],
  ["dns:orders:50051", { name: "orders:50051" }],
  ["dns://10.0.0.10/orders:50051", { name: "orders:50051" }],
  ["orders:50051", { name: "orders:50051" }],
  ["orders", { name: "orders:443" }],
  ["dns:///orders", { name: "orders:443" }],
  ["passthrough:///10.0.0.1:50051", { name: "10.0.0.1:50051" }],
  ["ipv4:10.0.0.1:50051", { name: "10.0.0.1:50051" }],
  ["ipv6:[2001:db8::1]:50051", { name: "[2001:db8::1]:50051" }],
  ["[2001:db8::1]:50051", { name: "[2001:db8::1]:50051" }],
  ["http://orders:50051", { name: "orders:50051" }],
  ["unix:/run/app.sock", { name: "unix:/run/app.sock" }],
  ["xds:///orders.shop", { name: "orders.shop:443", scheme: "xds" }],
  ["", { name: ":443" }],
])("reads %s", (target, want) => {
  expect(upstreamName(target)).toEqual(want);
});

it.each([
  ["10.0.0.1:50051", "10.0.0.1"],
  ["[2001:db8::1]:50051", "2001:db8::1"],
  ["[::ffff:10.0.0.1]:50051", "10.0.0.1"],
  ["10.0.0.1", "10.0.0.1"],
  ["", ""],
])("takes the address of %s", (text, want) => {
  expect(addressOf(text)).toBe(want);
});
