import { expect, it } from "vitest";
import { hostOf, isLoopback } from "../../src/model/target.ts";

it.each([
  ["10.0.0.1:50051", "10.0.0.1"],
  ["[::1]:50051", "::1"],
  ["unix:/run/app.sock", "unix:/run/app.sock"],
])("the host of %s is %s", (address, host) => {
  expect(hostOf(address)).toBe(host);
});

it.each([
  ["127.0.0.1", true],
  ["127.8.9.10", true],
  ["::1", true],
  ["10.127.0.1", false],
  ["::", false],
  ["::11", false],
])("%s on loopback: %s", (address, answer) => {
  expect(isLoopback(address)).toBe(answer);
});
