import { expect, it } from "vitest";
import { folded } from "../../support/folded.ts";
import { after, aScrapeAt } from "../../support/observations.ts";

const fds = (seconds: number, openFds?: number, maxFds?: number) =>
  aScrapeAt(seconds, {
    ...(openFds === undefined ? {} : { openFds }),
    ...(maxFds === undefined ? {} : { maxFds }),
  });

it.each([
  ["tells neither number", fds(0)],
  ["does not tell the limit", fds(0, 9)],
  ["has no limit", fds(0, 9, 0)],
])("knows nothing of a process that %s", (_what, scrape) => {
  expect(folded("appProcess", [scrape])).toBeUndefined();
});

it("keeps the newest three scrapes", () => {
  const scrapes = [fds(0, 1, 64), fds(15, 2, 64), fds(30, 3, 64), fds(45, 4, 64)];
  expect(folded("appProcess", scrapes)).toEqual({
    scrapes: [
      { at: after(15), openFds: 2, maxFds: 64 },
      { at: after(30), openFds: 3, maxFds: 64 },
      { at: after(45), openFds: 4, maxFds: 64 },
    ],
  });
});
