import type { Instant } from "../model/time.ts";

/**
 * A day (`2027-01-15`, its first moment in UTC) or an RFC 3339 time as an instant; `undefined` for
 * anything else, 30 February included.
 */
export function parseInstant(text: string): Instant | undefined {
  const [, year, month, day, time] = /^(\d{4})-(\d\d)-(\d\d)(?:[Tt ](.+))?$/.exec(text) ?? [];
  const date = { year: Number(year), month: Number(month), day: Number(day) };
  const timeMs = time === undefined ? 0 : parseTimeOfDay(time);
  return isDate(date) && timeMs !== undefined
    ? daysSinceEpoch(date) * 86_400_000 + timeMs
    : undefined;
}

interface CivilDate {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** `10:00:00Z`, `10:00:00+02:00`: milliseconds since midnight UTC, possibly of another day. */
function parseTimeOfDay(text: string): number | undefined {
  const form = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.\d+)?(?:[Zz]|([+-])(\d\d):([0-5]\d))$/;
  const match = form.exec(text);
  if (match === null) return undefined;
  const [hour = 0, minute = 0, second = 0] = match.slice(1, 4).map(Number);
  const [sign, ...offset] = match.slice(4);
  const [offsetHours = 0, offsetMinutes = 0] = offset.map((part) => Number(part ?? 0));
  const offsetMs = (offsetHours * 60 + offsetMinutes) * 60_000 * (sign === "-" ? -1 : 1);
  return ((hour * 60 + minute) * 60 + second) * 1000 - offsetMs;
}

function isDate({ year, month, day }: CivilDate): boolean {
  const isLeap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0;
  return day >= 1 && day <= days;
}

/** Days in the proleptic Gregorian calendar; years begin in March, so that the leap day is last. */
function daysSinceEpoch({ year, month, day }: CivilDate): number {
  const marchYear = month > 2 ? year : year - 1;
  const era = Math.floor(marchYear / 400);
  const yearOfEra = marchYear - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  const leapDays = Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100);
  return era * 146_097 + yearOfEra * 365 + leapDays + dayOfYear - 719_468;
}
