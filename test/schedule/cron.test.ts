import { expect, it } from "vitest";
import { rfc3339 } from "../../src/model/time.ts";
import { nextCron } from "../../src/schedule/cron.ts";

const at = (text: string) => Date.parse(text);

it.each([
  ["*/5 * * * *", "2026-01-05T00:00:00Z", "2026-01-05T00:05:00.000Z"],
  ["*/5 * * * *", "2026-01-05T00:04:59.999Z", "2026-01-05T00:05:00.000Z"],
  ["0 3 * * MON", "2026-01-05T03:00:00Z", "2026-01-12T03:00:00.000Z"],
  ["0 0 29 2 *", "2026-01-05T00:00:00Z", "2028-02-29T00:00:00.000Z"],
])("%s after %s is %s", (expression, after, want) => {
  const next = nextCron(expression, at(after));
  expect(next === undefined ? next : rfc3339(next)).toEqual(want);
});

it("knows of expressions that never come", () => {
  expect(nextCron("0 0 30 2 *", at("2026-01-05T00:00:00Z"))).toBeUndefined();
});

it.each(["* * * *", "* * * * * *", "61 * * * *", "every minute", ""])(
  "throws for '%s', which is none",
  (expression) => {
    expect(() => nextCron(expression, at("2026-01-05T00:00:00Z"))).toThrow(/^CronPattern: /);
  },
);
