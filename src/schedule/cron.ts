import { Cron } from "croner";
import { type Instant, rfc3339 } from "../model/time.ts";

/**
 * The first moment after `after` that a cron expression names; `undefined` when there is none (30
 * February). Five fields, in UTC: a pod has no time zone that its user could know. A pure function of
 * its arguments: nothing is scheduled here.
 *
 * @throws TypeError when the expression is malformed: the configuration has made sure that it is not.
 */
export function nextCron(expression: string, after: Instant): Instant | undefined {
  const cron = new Cron(expression, { mode: "5-part", utcOffset: 0, paused: true });
  return cron.nextRun(rfc3339(after))?.getTime();
}
