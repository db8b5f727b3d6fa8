import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { DETECTORS } from "../../src/detectors/index.ts";
import type { FactName } from "../../src/model/facts/index.ts";
import { FOLDS } from "../../src/store/folds/index.ts";
import { JOINS } from "../../src/store/joins.ts";

/** The names in the source, as types are gone when tests run. */
async function factNames(): Promise<readonly string[]> {
  const source = await readFile(new URL("../../src/model/facts/index.ts", import.meta.url), "utf8");
  const [, body = ""] = /interface Facts \{([^}]*)\}/.exec(source) ?? [];
  return [...body.matchAll(/^ {2}(\w+):/gm)].flatMap(([, name]) => name ?? []);
}

it("sees the facts", async () => {
  expect(await factNames()).toContain("upstreamCalls");
});

it("makes each fact by exactly one fold or join", async () => {
  const made = [...FOLDS, ...JOINS].map(({ fact }) => fact);
  expect(made.toSorted()).toEqual((await factNames()).toSorted());
});

it("bounds each fact", () => {
  const unbounded = [...FOLDS, ...JOINS].filter(({ bound }) => bound === "");
  expect(unbounded).toEqual([]);
});

it("makes each fact of something that makes it young, for somebody", () => {
  const idle = FOLDS.filter(({ of, reads }) => of.length === 0 || reads.length === 0);
  expect(idle).toEqual([]);
});

it("makes no fact that nobody judges by", async () => {
  const read = new Set(DETECTORS.flatMap(({ needs, uses }) => [...needs, ...uses]));
  const unread = (await factNames()).filter((name) => !read.has(name as FactName));
  expect(unread).toEqual([]);
});
