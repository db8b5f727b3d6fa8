import fc from "fast-check";
import { expect, it } from "vitest";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../src/config/units.ts";

it.each([
  "",
  "10",
  "0",
  "-1s",
  "10 s",
  "10S",
  "1e3s",
  ".5s",
  "5.s",
  "10sec",
  "1h 30m",
  "s",
  "1000000000000000d",
])("reads no duration from %j", (text) => {
  expect(parseDuration(text)).toBeUndefined();
});

it.each([
  ["0s", 0],
  ["500ms", 500],
  ["10s", 10_000],
  ["1.5s", 1500],
  ["1h30m", 5_400_000],
  ["21d", 1_814_400_000],
  ["0.1s", 100],
])("reads the duration %s", (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

it.each(["", "-1B", "4MB", "4 MiB", "4mib", "1e3", "0.3B", "9007199254740992"])(
  "reads no size from %j",
  (text) => {
    expect(parseSize(text)).toBeUndefined();
  },
);

it.each([
  ["0", 0],
  ["65536", 65_536],
  ["64KiB", 65_536],
  ["1.5MiB", 1_572_864],
  ["4GiB", 4_294_967_296],
])("reads the size %s", (text, bytes) => {
  expect(parseSize(text)).toBe(bytes);
});

it.each([
  [0, "0s"],
  [90_000, "90s"],
  [7_200_000, "2h"],
  [1500, "1500ms"],
])("writes %i ms as %s", (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

it("reads every duration that it writes", () => {
  const whole = fc.integer({ min: 0, max: 10 ** 12 });
  const many = fc.tuple(
    fc.integer({ min: 0, max: 1000 }),
    fc.constantFrom(1, 1000, 60_000, 86_400_000),
  );
  const ms = fc.oneof(
    whole,
    many.map(([amount, unit]) => amount * unit),
  );
  fc.assert(
    fc.property(ms, (value) => {
      expect(parseDuration(formatDuration(value))).toBe(value);
    }),
  );
});

it("reads every size that it writes", () => {
  const bytes = fc.oneof(
    fc.nat(),
    fc.nat(4000).map((amount) => amount * 1024 ** 2),
  );
  fc.assert(
    fc.property(bytes, (value) => {
      expect(parseSize(formatSize(value))).toBe(value);
    }),
  );
});

it("never throws and never gives a number that is not finite", () => {
  const text = fc.oneof(fc.string(), fc.stringMatching(/^[\d.]{0,14}(?:ms|s|m|h|d|B|KiB|GiB)?$/));
  fc.assert(
    fc.property(text, (value) => {
      expect(parseDuration(value) ?? 0).toSatisfy(isCount);
      expect(parseSize(value) ?? 0).toSatisfy(isCount);
    }),
  );
});

const isCount = (number: number) => number >= 0 && Number.isFinite(number);
