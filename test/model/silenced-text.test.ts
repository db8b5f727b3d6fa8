import { expect, it } from "vitest";
import { silencedText } from "../../src/model/silenced-text.ts";

it.each([
  ["dns-stale on inventory", "because of dns-stale on inventory"],
  ["ignored: known", "ignored: known"],
])("%s reads %s", (because, text) => {
  expect(silencedText(because)).toBe(text);
});
