import { expect, it } from "vitest";
import { type Grammar, parseArguments } from "../../src/cli/parse-arguments.ts";

const GRAMMAR: Grammar = {
  flags: [
    { name: "plaintext", says: "" },
    { name: "output", letter: "o", value: "FORMAT", says: "" },
    { name: "H", letter: "H", value: "HEADER", isRepeated: true, says: "" },
  ],
  positionals: ["ADDR", "[SYMBOL]"],
};
const GO = { ...GRAMMAR, goFlags: true };

it.each([
  ["long flags", ["a:1", "--plaintext", "--output", "json"]],
  ["letters and an equals sign", ["-o", "json", "--plaintext", "a:1"]],
  ["an attached value", ["--output=json", "a:1", "--plaintext"]],
])("reads %s", (_what, argv) => {
  expect(parseArguments(argv, GRAMMAR)).toEqual({
    positionals: ["a:1"],
    texts: { output: "json" },
    lists: {},
    switches: new Set(["plaintext"]),
  });
});

it.each([
  ["one dash", ["-plaintext", "-output", "json", "a:1"]],
  ["one dash and values", ["-plaintext=true", "-output=json", "a:1"]],
  ["two dashes and values", ["--plaintext=1", "--output=json", "a:1"]],
])("reads Go's flags with %s", (_what, argv) => {
  const { texts, switches } = parseArguments(argv, GO);
  expect({ texts, switches }).toEqual({
    texts: { output: "json" },
    switches: new Set(["plaintext"]),
  });
});

it.each([
  [["-H={}", "a:1"], { H: ["{}"] }],
  [["--H=a: 1", "-H", "b: 2", "-Hc: 3", "a:1"], { H: ["a: 1", "b: 2", "c: 3"] }],
])("reads a flag of one letter as Go does: %j", (argv, lists) => {
  expect(parseArguments(argv, GO)).toMatchObject({ lists, positionals: ["a:1"] });
});

it("takes Go's false as an absent flag", () => {
  expect(parseArguments(["-plaintext=false", "a:1"], GO).switches).toEqual(new Set());
});

it("gathers a flag that may be repeated, and keeps what follows two dashes", () => {
  const { lists, positionals } = parseArguments(
    ["-H", "a: 1", "-H", "b: 2", "--", "a:1", "-x"],
    GO,
  );
  expect({ lists, positionals }).toEqual({
    lists: { H: ["a: 1", "b: 2"] },
    positionals: ["a:1", "-x"],
  });
});

it.each([
  [["a:1", "--plaintxt"], "unknown flag --plaintxt (did you mean --plaintext?)"],
  [["a:1", "b", "--format", "json"], "unknown flag --format"],
  [["a:1", "--zzzzzzz"], "unknown flag --zzzzzzz"],
  [["a:1", "--output"], "--output needs a value: --output FORMAT"],
  [["a:1", "--plaintext=yes"], "--plaintext is a switch and takes no value"],
  [[], "ADDR is missing"],
  [["a:1", "b", "c"], "no more than ADDR [SYMBOL] is expected, 3 were given"],
])("refuses %j", (argv, message) => {
  expect(() => parseArguments(argv, GRAMMAR)).toThrow(message);
});

it("refuses a flag of Go's that is unknown, and not the value after it", () => {
  const argv = ["-format", "json", "a:1", "b"];
  expect(() => parseArguments(argv, GO)).toThrow("unknown flag --format");
});
