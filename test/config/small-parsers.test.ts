import fc from "fast-check";
import { expect, it } from "vitest";
import { cronFault } from "../../src/config/cron.ts";
import { parseInstant } from "../../src/config/instant.ts";
import { expandVariables } from "../../src/config/variables.ts";
import { nextCron } from "../../src/schedule/cron.ts";

it.each([
  "* * * * *",
  "*/5 * * * *",
  "0 0 1 jan mon",
  "0,30 9-17 * * 1-5",
  "5-55/10 * * * 7",
  "0 0 29 2 *",
  "0 0 30 2,3 *",
  "0 0 */30 2 *",
  "0 0 30,1 feb *",
  "0 0 30 2 mon",
])("accepts the cron expression %s, which comes", (text) => {
  expect(cronFault(text)).toBeUndefined();
  expect(nextCron(text, 0)).toBeGreaterThan(0);
});

it.each(["0 0 30 2 *", "0 0 31 2,4,6,9,nov *", "0 0 30-31 feb *", "0 0 31 4-6/2 *"])(
  "refuses the cron expression %s, which never comes",
  (text) => {
    expect(cronFault(text)).toBe("a day that one of the months has: 30 February never comes");
    expect(nextCron(text, 0)).toBeUndefined();
  },
);

it.each([
  "",
  "* * * *",
  "* * * * * *",
  "60 * * * *",
  "* 24 * * *",
  "* * 0 * *",
  "* * * 13 *",
  "* * * * 8",
  "5/10 * * * *",
  "*/0 * * * *",
  "9-5 * * * *",
  "1-2-3 * * * *",
  "a * * * *",
  ", * * * *",
  "@hourly",
])("refuses the cron expression %j", (text) => {
  expect(cronFault(text)).toBeTypeOf("string");
});

it.each([
  "2027-02-29",
  "2027-13-01",
  "2027-1-15",
  "tomorrow",
  "2027-01-15T10:00",
  "2027-01-15T24:00:00Z",
])("reads no instant from %j", (text) => {
  expect(parseInstant(text)).toBeUndefined();
});

it.each([
  "2027-01-15",
  "2028-02-29",
  "1970-01-01T00:00:00Z",
  "2027-01-15T10:30:00+02:00",
  "2027-01-15T23:59:59-08:00",
])("reads %s as the platform does", (text) => {
  expect(parseInstant(text)).toBe(Date.parse(text));
});

it("reads every day as the platform does", () => {
  const days = fc.date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true });
  fc.assert(
    fc.property(days, (day) => {
      const midnight = Math.floor(day.getTime() / 86_400_000) * 86_400_000;
      expect(parseInstant(day.toISOString().slice(0, 10))).toBe(midnight);
    }),
  );
});

const environment = { HOST: "orders", EMPTY: "", NESTED: "${HOST}" };

it.each([
  ["plain $HOST $ {}", "plain $HOST $ {}"],
  ["${HOST}:1", "orders:1"],
  ["${HOST}${HOST}", "ordersorders"],
  ["${NOPE:-x:y}", "x:y"],
  ["${EMPTY:-x}", "x"],
  ["a${EMPTY}b", "ab"],
  ["${NOPE:-}", ""],
  ["$${HOST}", "${HOST}"],
  ["${NESTED}", "${HOST}"],
])("expands %j to %j", (text, expanded) => {
  expect(expandVariables(text, environment)).toMatchObject({ text: expanded });
});

it.each(["${NOPE}", "${", "${HOST", "${a b}", "${1A}", "${HOST-x}"])("refuses %j", (text) => {
  expect(expandVariables(text, environment)).toHaveProperty("found");
});
