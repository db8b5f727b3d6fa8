import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BREAKING } from "./broken.ts";
import { judgedFile } from "./snapshot-file.ts";
import { TAKEN } from "./taken.ts";

/** What `check --from` says of real faults of real peers, all of it. */
describe("just what is to be said is said of", () => {
  const taken = Object.entries(TAKEN).map(([name, one]) => ({ name, suspected: [], ...one }));

  it.each(taken)("$how", ({ name, active, suspected }) => {
    expect(judgedFile(name)).toEqual({ active, suspected });
  });
});

describe("each snapshot", () => {
  const names = Object.keys(TAKEN).toSorted();

  it("says how it was taken", () => {
    const files = readdirSync(new URL("../snapshots/", import.meta.url));
    expect(files.toSorted()).toEqual(names.map((name) => `${name}.json`));
  });

  it("can be taken again", () => {
    expect(Object.keys(BREAKING).toSorted()).toEqual(names);
  });
});
