import type { DurationBuckets } from "../observation.ts";
import type { StatusName } from "../status.ts";
import type { Instant } from "../time.ts";

/** One scrape of the app's own metrics: cumulative since the epoch began, monotonic. */
export interface AppScrape {
  readonly at: Instant;
  /** Absent where no family of the app counts starts. */
  readonly started?: number;
  readonly handledByCode: Readonly<Partial<Record<StatusName, number>>>;
  /** Durations of the cancelled and of the expired calls, together; absent = no histogram. */
  readonly cancelledDurations?: DurationBuckets;
}

/** The calls that the app itself counts, over the last 10 min (50 scrapes at most), newest last. */
export interface AppCalls {
  readonly families: readonly string[];
  readonly scrapes: readonly AppScrape[];
}
