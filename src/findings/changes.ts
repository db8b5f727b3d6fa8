import type { ChangeSince } from "../model/finding.ts";
import type { HistoryMark } from "../model/history.ts";
import type { Instant } from "../model/time.ts";

/** The order in which a reader should look at them. */
const ASPECTS: readonly ChangeSince["what"][] = [
  "configuration",
  "epoch",
  "certificate",
  "settings",
  "dns",
  "peers",
];

/**
 * What is different from the last good state: for each aspect the value that held at `goodAt` against
 * the newest, with the moment of the last change. A value that came back is no difference, and one
 * that was never known before is none either. Where nothing is remembered of `goodAt`, the oldest
 * value that is remembered stands for it.
 */
export function changesSince(
  marks: readonly HistoryMark[],
  goodAt: Instant,
): readonly ChangeSince[] {
  return ASPECTS.flatMap((what) => {
    const values = marks.filter((mark) => mark.what === what);
    const before = values.findLast((mark) => mark.at <= goodAt) ?? values[0];
    const last = values.at(-1);
    if (before === undefined || last === undefined || before.value === last.value) return [];
    return [{ what, from: before.value, to: last.value, at: last.at }];
  });
}
