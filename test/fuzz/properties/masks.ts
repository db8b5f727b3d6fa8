import assert from "node:assert/strict";
import fc from "fast-check";
import { maskText } from "../../../src/model/mask.ts";
import { anyText, mutated } from "../mutation.ts";
import { defineProperty } from "../property.ts";

const TEXTS = [
  "dial tcp 10.0.0.12:443: connect: connection refused",
  'rpc error: code = Unavailable desc = last connection error: connection error: desc = "transport: x"',
  "got Bearer abc.DEF-1, wanted Basic dTpw==",
  "https://user:pw@host/path?api_key=AbC123&x=1",
  "order 123e4567-e89b-12d3-a456-426614174000 of jane.doe@example.com at [fd00::1]:443 is gone",
  "jwt eyJhbGciOi.eyJzdWIi.sig-1 bad; key deadbeef00deadbeef00; password=hunter2",
];

/** Masked once is masked for good, on one bounded line that shows what it is. */
export const maskedTexts = defineProperty({
  name: "masked-texts",
  runs: 400,
  input: fc.oneof(
    mutated(TEXTS, ["::", "@", "Bearer ", "=", "<token>", "10.0.0.1", "eyJ", "://"]),
    anyText(300),
  ),
  check(text) {
    const masked = maskText(text);
    assert.ok(masked.length <= 200);
    assert.doesNotMatch(masked, /[\p{Cc}\p{Cf}\u2028\u2029]/u);
    assert.ok(!/[\uD800-\uDBFF]$/.test(masked));
    assert.equal(maskText(masked), masked);
  },
});

const hex = (length: number) => fc.stringMatching(new RegExp(`^[0-9a-f]{${length}}$`));
const mixed = fc.stringMatching(/^a1[A-Za-z0-9_-]{22,120}$/);
const word = fc.stringMatching(/^[a-z][a-z0-9]{5,15}$/);

/** What a rule of the mask promises to know, in the notations that servers really use. */
const secret = fc.oneof(
  mixed.map((value) => ({ text: value, value })),
  fc
    .tuple(hex(8), hex(4), hex(4), hex(4), hex(12))
    .map((parts) => ({ text: parts.join("-"), value: parts.join("-") })),
  fc.ipV4().map((value) => ({ text: value, value })),
  fc
    .tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 }))
    .map(([host, port]) => ({ text: `${host}:${port}`, value: host })),
  fc.tuple(word, word).map(([user, password]) => ({
    text: `https://${user}:${password}@db.shop.svc/x`,
    value: password,
  })),
  fc
    .tuple(fc.constantFrom("Bearer", "bearer", "BEARER", "Basic"), mixed)
    .map(([scheme, value]) => ({ text: `${scheme} ${value}`, value })),
  fc
    .tuple(
      fc.constantFrom(
        "password",
        "authorization",
        "Authorization",
        "AUTHORIZATION",
        "token",
        "api_key",
        "api-key",
        "secret",
        "Cookie",
        "passwd",
      ),
      fc.constantFrom("=", ": ", ":", '="', '": "', " = "),
      mixed,
    )
    .map(([key, sign, value]) => ({ text: `${key}${sign}${value}`, value })),
  fc
    .tuple(
      fc.constantFrom("password", "authorization", "token", "api_key", "secret", "cookie"),
      word,
    )
    .map(([key, value]) => ({ text: `${key}=${value}x9`, value: `${value}x9` })),
);
const glue = fc.constantFrom(" ", ", ", ": ", " (", '"', "'", "; ", " <", "\t", " -> ");

export const maskedSecrets = defineProperty({
  name: "masked-secrets",
  runs: 400,
  input: fc.record({
    before: fc.constantFrom("", "invalid token", "ä🦊 dial", "could not reach", "\u001b[31mfailed"),
    left: glue,
    secret,
    right: glue,
    after: fc.constantFrom("", "refused", "<html>", "\nsecond line"),
  }),
  check({ before, left, secret: { text, value }, right, after }) {
    const masked = maskText(`${before}${left}${text}${right}${after}`);
    assert.ok(!masked.includes(value), masked);
  },
});
