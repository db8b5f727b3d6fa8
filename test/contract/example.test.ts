import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { parse } from "yaml";
import { defaultSettings } from "../../src/config/defaults.ts";
import { loadSettings } from "../../src/config/load.ts";
import { configOptions } from "../../src/config/reference.ts";
import { DETECTORS } from "../../src/detectors/index.ts";

const text = readFileSync(new URL("../../config.example.yaml", import.meta.url), "utf8");
/** A `#` with one space behind it begins a sentence; any other is an option that is not set. */
const allSet = text
  .replaceAll(/^( *)#(?! \S| *$)/gm, "$1")
  .replace("probes: []", "probes:")
  .replace("ignore: []", "ignore:")
  .replace("    findings: {}\n", "");

const load = (yaml: string) =>
  loadSettings({
    text: yaml,
    file: "config.example.yaml",
    environment: {},
    fileExists: () => true,
    readFile: () => "{}",
    detectors: DETECTORS,
  });

it("says what holds without a file", () => {
  expect({ value: load(text) }).toEqual(
    defaultSettings({ address: "localhost:50051", detectors: DETECTORS }),
  );
});

it("is a valid file with every option set", () => {
  const { targets, probes, ignore, tracing, webhook } = load(allSet);
  expect({
    targets: targets.length,
    probes: probes.length,
    ignore: ignore.length,
    tracing,
    webhook,
  }).toEqual({
    targets: 1,
    probes: 1,
    ignore: 1,
    tracing: { endpoint: "http://otel-collector:4317", ratio: 0.1 },
    webhook: { url: "https://hooks.example/grpc-doctor" },
  });
});

/** Every path of a value, as the reference writes it, with the value as JSON. */
function paths(value: unknown, path = ""): readonly (readonly [string, string])[] {
  const here = [[path, JSON.stringify(value)] as const];
  const entries = Array.isArray(value)
    ? value.map((inner) => [`${path}[]`, inner] as const)
    : typeof value === "object" && value !== null
      ? Object.entries(value).map(
          ([key, inner]) => [path === "" ? key : `${path}.${key}`, inner] as const,
        )
      : [];
  return [...here, ...entries.flatMap(([at, inner]) => paths(inner, at))];
}

const SHOWN = new Map(paths(parse(allSet)));
const shownAs = (path: string) => SHOWN.get(path.replace("<key>", "authorization"));
/** Shown as a sentence or beside its opposite, where a file cannot hold both. */
const BESIDE = ["probes[].cron", "targets[].findings"];

it.each(configOptions().filter(({ path }) => !BESIDE.includes(path)))(
  "shows $path",
  ({ path, ...option }) => {
    expect(shownAs(path)).toBe(option.default ?? shownAs(path) ?? "missing");
  },
);

it.each(BESIDE)("shows %s where it cannot be set", (path) => {
  expect(text).toMatch(new RegExp(`^[ #]*${path.split(".")[1]}:`, "m"));
});

it.each(DETECTORS.map(({ code, limits }) => ({ code, limits: Object.keys(limits) })))(
  "shows $code and its limits",
  ({ code, limits }) => {
    const block = text.split(`\n  ${code}:`)[1]?.split(/\n {2}# /)[0] ?? "";
    expect(
      ["hold", "clearAfter", ...limits].filter((name) => !block.includes(`${name}: `)),
    ).toEqual([]);
  },
);
