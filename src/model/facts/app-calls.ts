import type { DurationBuckets } from "../method-counts.ts";
import type { StatusName } from "../status.ts";
import type { Instant } from "../time.ts";

/** Calls of a method that ended with an error of the server, since the scrape before. */
export interface MethodFaults {
  readonly method: string;
  readonly code: StatusName;
  readonly count: number;
}

/** One scrape of the app's own metrics, without our own calls: cumulative since the epoch began. */
export interface AppScrape {
  readonly at: Instant;
  /** Absent where no family of the app counts starts. */
  readonly started?: number;
  readonly handledByCode: Readonly<Partial<Record<StatusName, number>>>;
  /**
   * Of the handled calls, those on which the server had sent something before they ended, at most:
   * streams whose callers did not wait in vain. Absent = not told.
   */
  readonly answered?: Readonly<Partial<Record<StatusName, number>>>;
  /** Of those UNIMPLEMENTED, the calls of methods that nobody registered; absent = not counted. */
  readonly unregistered?: number;
  /**
   * Calls running now, those that began before the epoch was seen too; absent where neither starts nor
   * they are counted.
   */
  readonly inFlight?: number;
  /** Durations of the cancelled and of the expired calls, together; absent = no histogram by code. */
  readonly cancelledDurations?: DurationBuckets;
  /** Where the histogram knows methods and no codes: those of them that no other bucket can hold. */
  readonly provenDurations?: DurationBuckets;
  /** The most of them, at most 5; absent = none, or the past is not known. */
  readonly faults?: readonly MethodFaults[];
}

/** The calls that the app itself counts, over the last 10 min (50 scrapes at most), newest last. */
export interface AppCalls {
  /** The families of metrics that the app has; the calls are counted by the first. */
  readonly families: readonly string[];
  readonly scrapes: readonly AppScrape[];
}
