import assert from "node:assert/strict";
import fc from "fast-check";
import { parseInstant } from "../../../src/config/instant.ts";
import { formatDuration, formatSize, parseDuration, parseSize } from "../../../src/config/units.ts";
import { rfc3339 } from "../../../src/model/time.ts";
import { mutated } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const TEXTS = [
  "10s",
  "500ms",
  "1h30m",
  "1.5s",
  "21d",
  "4MiB",
  "0.5KiB",
  "1024",
  "2027-01-15",
  "2027-01-15T10:00:00+02:00",
];

/** Every text is a value within the bounds, or none; what is a value is written so that it is read again. */
export const unitTexts = defineProperty({
  name: "unit-texts",
  runs: 400,
  input: mutated(TEXTS, ["ms", "s", "m", "h", "d", "KiB", ".", "e5", "T24:00:00Z", "-02-30"], 3),
  check(text) {
    const ms = parseDuration(text);
    if (ms !== undefined) {
      assert.ok(ms >= 0 && ms <= 1e12);
      assert.equal(parseDuration(formatDuration(ms)), ms);
    }
    const bytes = parseSize(text);
    if (bytes !== undefined) {
      assert.ok(Number.isSafeInteger(bytes) && bytes >= 0);
      assert.equal(parseSize(formatSize(bytes)), bytes);
    }
    const instant = parseInstant(text);
    if (instant !== undefined)
      assert.equal(parseInstant(rfc3339(instant).replace(/\.000Z$/, "Z")), instant);
  },
});

export const unitValues = defineProperty({
  name: "unit-values",
  runs: 400,
  input: fc.record({
    // Microseconds, which are the finest that a duration knows.
    microseconds: fc.oneof(fc.nat(10_000), fc.integer({ min: 0, max: 1e15 })),
    bytes: fc.maxSafeNat(),
  }),
  check({ microseconds, bytes }) {
    const ms = microseconds / 1000;
    assert.equal(parseDuration(formatDuration(ms)), ms);
    assert.equal(parseSize(formatSize(bytes)), bytes);
  },
});
