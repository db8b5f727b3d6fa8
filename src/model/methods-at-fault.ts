import type { AppCalls } from "./facts/app-calls.ts";
import type { StatusName } from "./status.ts";
import type { Instant } from "./time.ts";

/** The methods whose calls ended with these codes after `from`, the most frequent first, with how many. */
export function methodsAtFault(
  { scrapes }: AppCalls,
  from: Instant,
  codes: ReadonlySet<StatusName>,
): readonly string[] {
  const counts = new Map<string, number>();
  for (const { at, faults = [] } of scrapes)
    for (const { method, code, count } of at > from ? faults : [])
      if (codes.has(code)) counts.set(method, (counts.get(method) ?? 0) + count);
  return [...counts]
    .toSorted(([, a], [, b]) => b - a)
    .map(([method, count]) => `${method} ${count}`);
}
