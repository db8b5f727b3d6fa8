import { cutText } from "../model/cut-text.ts";
import type { MethodFaults } from "../model/facts/app-calls.ts";
import { type MethodCounts, MOST_METHODS } from "../model/method-counts.ts";
import { SERVER_FAULTS, type StatusName } from "../model/status.ts";

const MOST_FAULTY = 5;
const LONGEST_NAME = 200;

/**
 * The methods whose calls ended with most errors of the server between two scrapes. One that is new among
 * as many as are told may have a past; what has no slash in its name is no method, but all that nobody
 * registered.
 */
export function faultyMethods(
  before: readonly MethodCounts[],
  after: readonly MethodCounts[],
): readonly MethodFaults[] | undefined {
  const known = new Map(before.map((counts) => [counts.method, counts.handledByCode]));
  const faults = after.flatMap(({ method, handledByCode }) => {
    const last = known.get(method) ?? (before.length < MOST_METHODS ? {} : undefined);
    if (last === undefined || !method.includes("/")) return [];
    return [...SERVER_FAULTS].flatMap((code) => {
      const count = gained(last, handledByCode, code);
      return count > 0 ? [{ method: cutText(method, LONGEST_NAME), code, count }] : [];
    });
  });
  const most = faults.toSorted((a, b) => b.count - a.count).slice(0, MOST_FAULTY);
  return most.length === 0 ? undefined : most;
}

function gained(
  before: MethodCounts["handledByCode"],
  after: MethodCounts["handledByCode"],
  code: StatusName,
): number {
  return (after[code] ?? 0) - (before[code] ?? 0);
}
