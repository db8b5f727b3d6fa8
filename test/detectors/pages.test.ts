import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { formatDuration, formatSize } from "../../src/config/units.ts";
import { DETECTORS } from "../../src/detectors/index.ts";
import type { Limit } from "../../src/model/detector-record.ts";

const HEADINGS = [
  "What you see",
  "Why it happens",
  "How to confirm",
  "How to fix",
  "When it is wrong",
];
const UNITS = { ms: "duration", bytes: "size", ratio: "ratio", count: "count" } as const;
const FORMATS = { ms: formatDuration, bytes: formatSize, ratio: String, count: String } as const;
const pageOf = (code: string) =>
  readFileSync(new URL(`../../docs/findings/${code}.md`, import.meta.url), "utf8");
const shown = ({ unit, default: value }: Limit) => FORMATS[unit](value);
const byCode = DETECTORS.map((detector) => [detector.code, detector] as const);

it.each(byCode)("the page of %s repeats its record", (code, { title, layer, severity }) => {
  expect(pageOf(code).split("---\n")[1]).toBe(
    `code: ${code}\ntitle: ${title}\nlayer: ${layer}\nseverity: ${severity}\n`,
  );
});

it.each(byCode)("the page of %s sets every command as a block of code", (code) => {
  const commands = /^ {0,3}(?:kubectl|curl|openssl|ss|nc|printf|grpc-doctor) .*$/gm;
  expect(pageOf(code).match(commands)).toBeNull();
});

it.each(byCode)("the page of %s has the five headings", (code) => {
  const headings = [...pageOf(code).matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);
  expect(headings).toEqual(HEADINGS);
});

it.each(byCode)(
  "the page of %s tells every limit with its unit and default",
  (code, { limits }) => {
    const rows = [...pageOf(code).matchAll(/^\| `(\w+)` \| (\w+) \| (\S+) \| \S.* \|$/gm)];
    expect(rows.map(([, name, unit, value]) => [name, unit, value])).toEqual(
      Object.entries(limits).map(([name, limit]) => [name, UNITS[limit.unit], shown(limit)]),
    );
  },
);
