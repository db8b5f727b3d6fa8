import { type MethodCounts, MOST_METHODS } from "../model/method-counts.ts";
import type { StatusName } from "../model/status.ts";

type ByCode = Readonly<Partial<Record<StatusName, number>>>;

/**
 * Adds the calls that ended between two scrapes after the server had sent something on them, at most,
 * where a family counts messages by method: of a method of which none ended well, messages went to
 * those that ended otherwise. What one that ended well was sent cannot be told from it. `undefined` =
 * no method counts messages.
 */
export function addedAnswered(
  sum: ByCode | undefined,
  before: readonly MethodCounts[] | undefined,
  after: readonly MethodCounts[],
): ByCode | undefined {
  if (after.every(({ sent }) => sent === undefined)) return undefined;
  const known = new Map(before?.map((counts) => [counts.method, counts]));
  const isTold = before !== undefined && before.length < MOST_METHODS;
  const total: Partial<Record<StatusName, number>> = { ...sum };
  for (const counts of after) {
    const last = known.get(counts.method) ?? (isTold ? NOTHING : undefined);
    for (const [code, count] of last === undefined ? [] : answeredSince(last, counts))
      total[code] = (total[code] ?? 0) + count;
  }
  return total;
}

const NOTHING: Omit<MethodCounts, "method"> = { handledByCode: {} };

function answeredSince(
  before: Omit<MethodCounts, "method">,
  after: MethodCounts,
): readonly (readonly [StatusName, number])[] {
  const gained = (code: StatusName) =>
    (after.handledByCode[code] ?? 0) - (before.handledByCode[code] ?? 0);
  if (gained("OK") > 0) return [];
  const sent = (after.sent ?? 0) - (before.sent ?? 0);
  const codes = Object.keys(after.handledByCode) as StatusName[];
  return codes.map((code) => [code, Math.max(0, Math.min(gained(code), sent))]);
}
