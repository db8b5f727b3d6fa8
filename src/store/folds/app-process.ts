import type { AppProcess } from "../../model/facts/app-process.ts";
import { defineFold } from "../fold.ts";
import { pushed } from "../ring.ts";

const MOST_SCRAPES = 3;

/** How many of its file descriptors the app uses, where its metrics tell both numbers. */
export const appProcessFold = defineFold({
  fact: "appProcess",
  of: ["app", "upstream"],
  source: "metrics",
  reads: ["metrics/scrape"],
  bound: "3 scrapes",
  maxAgeMs: 37_500,
  inNewEpoch: "goes",

  fold(previous: AppProcess | undefined, { at, openFds, maxFds }) {
    if (openFds === undefined || maxFds === undefined || maxFds <= 0) return undefined;
    return { scrapes: pushed(previous?.scrapes ?? [], { at, openFds, maxFds }, MOST_SCRAPES) };
  },
});
