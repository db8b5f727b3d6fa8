import fc from "fast-check";
import { expect, it } from "vitest";
import { parseSample } from "../../src/app-metrics/exposition.ts";

const sample = (name: string, labels: Readonly<Record<string, string>>, value: number) => ({
  name,
  labels: new Map(Object.entries(labels)),
  value,
});

it.each([
  ["a plain sample", "up 1", sample("up", {}, 1)],
  [
    "labels and a time stamp",
    'a{b="c",d="e"} 2.5 1395066363000',
    sample("a", { b: "c", d: "e" }, 2.5),
  ],
  ["a comma after the last label", 'a{b="c",} 1', sample("a", { b: "c" }, 1)],
  ["blanks where they are allowed", 'a { b = "c" , d="e" } 1', undefined],
  ["blanks within the braces", 'a{ b = "c" , d="e" } 1', sample("a", { b: "c", d: "e" }, 1)],
  ["escapes", String.raw`a{b="\"x\\y\n"} 1`, sample("a", { b: '"x\\y\n' }, 1)],
  ["a brace in a value", 'a{b="}"} 1', sample("a", { b: "}" }, 1)],
  ["empty braces", "a{} 3", sample("a", {}, 3)],
  [
    "an exemplar",
    'a_bucket{le="0.5"} 7 # {trace_id="x"} 0.3 1.5',
    sample("a_bucket", { le: "0.5" }, 7),
  ],
  ["an exponent", "a 1.5e+06", sample("a", {}, 1_500_000)],
  ["infinity", "a +Inf", sample("a", {}, Number.POSITIVE_INFINITY)],
  ["not a number", "a NaN", sample("a", {}, Number.NaN)],
  ["a carriage return", "a 1\r", sample("a", {}, 1)],
  ["a comment", "# TYPE a counter", undefined],
  ["the end", "# EOF", undefined],
  ["an empty line", "", undefined],
  ["a line without a value", "a{}", undefined],
  ["a value that is none", "a one", undefined],
  ["hexadecimal", "a 0x10", undefined],
  ["braces that stay open", 'a{b="c" 1', undefined],
  ["a label without quotes", "a{b=c} 1", undefined],
  ["HTML", "<html><body>1</body></html>", undefined],
])("reads %s", (_what, line, want) => {
  expect(parseSample(line)).toEqual(want);
});

it("reads what it would write", () => {
  const name = fc.stringMatching(/^[a-z_:][a-z0-9_:]{0,10}$/);
  const labelName = fc.stringMatching(/^[a-z_][a-z0-9_]{0,10}$/);
  const escaped = (value: string) =>
    value
      .replaceAll("\\", String.raw`\\`)
      .replaceAll('"', String.raw`\"`)
      .replaceAll("\n", String.raw`\n`);
  fc.assert(
    fc.property(
      name,
      fc.dictionary(labelName, fc.string({ maxLength: 12 }), { maxKeys: 5, noNullPrototype: true }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (metric, labels, value) => {
        const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
        const line = `${metric}{${pairs.join(",")}} ${value}`;
        expect(parseSample(line)).toEqual(sample(metric, labels, Number(String(value))));
      },
    ),
  );
});

it("never throws, and takes no time over what is malformed", () => {
  const piece = fc.constantFrom("a", "{", "}", '"', "\\", ",", "=", " ", "#", "1", "\n", "e", "+");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      expect(() => parseSample(pieces.join(""))).not.toThrow();
    }),
  );
  const endless = `a{b="${String.raw`\"`.repeat(8_000)}`;
  expect(parseSample(endless)).toBeUndefined();
});
