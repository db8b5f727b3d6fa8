import { Cron } from "croner";
import { type Instant, rfc3339 } from "../model/time.ts";

/**
 * The first moment after `after` that a cron expression names; `undefined` when there is none (30
 * February). Five fields, in UTC: a pod has no time zone that its user could know. A pure function of
 * its arguments: nothing is scheduled here.
 *
 * @throws TypeError when the expression is malformed; `cronFault` says so beforehand.
 */
export function nextCron(expression: string, after: Instant): Instant | undefined {
  return parse(expression).nextRun(rfc3339(after))?.getTime();
}

/** What is wrong with a cron expression, in croner's words; `undefined` when it is sound. */
export function cronFault(expression: string): string | undefined {
  try {
    parse(expression);
    return undefined;
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}

function parse(expression: string): Cron {
  return new Cron(expression, { mode: "5-part", utcOffset: 0, paused: true });
}
