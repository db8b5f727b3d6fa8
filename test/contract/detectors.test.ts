import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DETECTORS } from "../../src/detectors/index.ts";
import { findingPage } from "../../src/model/documentation.ts";
import { evidenceFaults } from "../support/evidence.ts";

const root = new URL("../../", import.meta.url);
const codes = DETECTORS.map(({ code }) => code).toSorted();
const namesIn = (folder: string, ending: string) =>
  readdirSync(new URL(folder, root))
    .filter((name) => name.endsWith(ending))
    .map((name) => name.slice(0, -ending.length));

describe("a code", () => {
  it("stands for every file of the folder, but its type, its registry, the sets of causes and what explains a probe", () => {
    const others = ["detector", "explained-probe", "index", "root-causes"];
    const files = namesIn("src/detectors", ".ts").filter((name) => !others.includes(name));
    expect(files.toSorted()).toEqual(codes);
  });

  it("stands for every page", () => {
    expect(namesIn("docs/findings", ".md").toSorted()).toEqual(codes);
  });

  it("is kebab-case", () => {
    expect(codes.filter((code) => !/^[a-z0-9]+(-[a-z0-9]+)*$/.test(code))).toEqual([]);
  });

  it("is linked to its page of the version that it is packed with", () => {
    const { version } = JSON.parse(readFileSync(new URL("package.json", root), "utf8")) as {
      version: string;
    };
    expect(findingPage("dns-stale")).toMatch(
      new RegExp(`/v${version}/docs/findings/dns-stale.md$`),
    );
  });

  it.each(codes)("%s has a test that compares the facts read with those declared", (code) => {
    const test = readFileSync(new URL(`test/detectors/${code}.test.ts`, root), "utf8");
    expect(test).toMatch(/expect\(factsRead\((\w+)\)\)\.toEqual\(factsDeclared\(\1\)\)/);
  });

  it("that keeps a probe waiting is one of its causes on the same target", () => {
    const waiting = DETECTORS.filter(({ waitsForCauses }) => waitsForCauses);
    expect(waiting.map(({ code, causes }) => [code, causes.length > 0])).toEqual([
      ["probe-failing", true],
    ]);
  });
});

/** `judge` of the tests of all detectors asks this of every symptom that it sees. */
describe("a key of evidence", () => {
  it.each([
    ["a word of the list", { cause: "refused", failures: 3, named: true, peers: ["a"] }],
    ["a word by its ending", { absentSeconds: 1, sinceAt: "2026-01-15T12:00:00Z", ratio: 0.5 }],
    ["an empty list", { peers: [], answeringPorts: [] }],
    ["a list of numbers", { answeringPorts: [1] }],
  ])("may be %s", (_what, evidence) => {
    expect(evidenceFaults(evidence)).toEqual([]);
  });

  it.each([
    ["unknown", { colour: "red" }, ["colour is no known key of evidence"]],
    ["of another type", { failures: "3" }, ["failures is string, not number"]],
    ["no duration", { spanSeconds: "3 s" }, ["spanSeconds is string, not number"]],
    ["no number", { ratio: Number.NaN }, ["ratio is not finite, not number"]],
    ["one instead of a list", { peers: "a" }, ["peers is string, not string[]"]],
    ["a mixed list", { peers: ["a", 1] }, ["peers is string|number[], not string[]"]],
    ["null", { cause: null }, ["cause is object, not string"]],
  ])("must not be %s", (_what, evidence, faults) => {
    expect(evidenceFaults(evidence)).toEqual(faults);
  });
});
