import type { Instant } from "../time.ts";

/** What the app's own metrics say of its process. */
export interface ProcessScrape {
  readonly at: Instant;
  readonly openFds: number;
  readonly maxFds: number;
}

/** The app's process over its newest scrapes, newest last, at most 3. */
export interface AppProcess {
  readonly scrapes: readonly ProcessScrape[];
}
