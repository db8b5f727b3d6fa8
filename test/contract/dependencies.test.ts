import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
const page = read("docs/dependencies.md");
const manifest = JSON.parse(read("package.json")) as {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};
const lock = JSON.parse(read("package-lock.json")) as {
  readonly packages: Readonly<
    Record<string, { readonly integrity?: string; readonly resolved?: string }>
  >;
};

/** Package and reason of each row of the table below this heading. */
function rows(heading: string): readonly (readonly [string, string])[] {
  const [, section = ""] = page.split(`## ${heading}\n`);
  const [table = ""] = section.split("\n## ");
  const cells = [...table.matchAll(/^\| ([^|]+) \| ([^|]+) \|/gm)].slice(1);
  return cells.map(([, name = "", reason = ""]) => [name.trim(), reason.trim()] as const);
}

describe.each([
  ["In the bundle", manifest.dependencies],
  ["In development", manifest.devDependencies],
] as const)("%s", (heading, packages) => {
  it("is on the page what is in package.json, in its order", () => {
    expect(rows(heading).map(([name]) => name)).toEqual(Object.keys(packages).toSorted());
  });

  it("has a reason for each", () => {
    expect(rows(heading).filter(([, reason]) => reason.length < 5)).toEqual([]);
  });

  it("has exact versions", () => {
    expect(Object.values(packages).filter((version) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual(
      [],
    );
  });
});

it("installs nothing but by its hash", () => {
  const { "": _project, ...packages } = lock.packages;
  const unproven = Object.entries(packages).filter(
    ([, { integrity = "" }]) => !integrity.startsWith("sha512-"),
  );
  expect(unproven).toEqual([]);
});
