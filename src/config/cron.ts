const MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");
const DAYS = "sun mon tue wed thu fri sat".split(" ");

interface Field {
  readonly name: string;
  readonly min: number;
  readonly max: number;
  /** How many there are: Sunday is 0 and 7. */
  readonly values: number;
  readonly words?: readonly string[];
}

const FIELDS: readonly Field[] = [
  { name: "minute", min: 0, max: 59, values: 60 },
  { name: "hour", min: 0, max: 23, values: 24 },
  { name: "day of month", min: 1, max: 31, values: 31 },
  { name: "month", min: 1, max: 12, values: 12, words: MONTHS },
  { name: "day of week", min: 0, max: 7, values: 7, words: DAYS },
];

/**
 * What is wrong with a cron expression, or `undefined`. Five fields, as crontab(5) has them: lists,
 * ranges, steps, names of months and days. The finest grain is a minute. A date that no year has is wrong:
 * it would never run, and nobody would be told.
 */
export function cronFault(text: string): string | undefined {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== FIELDS.length || text.length > 200) {
    return "five fields: minute hour day-of-month month day-of-week, such as */5 * * * *";
  }
  const bad = FIELDS.find((field, index) => !isField(parts[index] ?? "", field));
  if (bad !== undefined)
    return `a ${bad.name} from ${bad.min} to ${bad.max}: n, n-m, *, */step or a list of them`;
  return hasDay(parts) ? undefined : "a day that one of the months has: 30 February never comes";
}

/** The most that each month has, 29 February included, which comes every fourth year. */
const LAST_DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** False for a date that no year has. A day of the week beside it is another day that counts. */
function hasDay([, , date = "*", month = "*", weekday = "*"]: readonly string[]): boolean {
  if (weekday !== "*") return true;
  const [, , dates, months] = FIELDS as readonly [Field, Field, Field, Field, Field];
  const first = Math.min(...valuesOf(date, dates));
  return valuesOf(month, months).some((each) => first <= (LAST_DAYS[each - 1] ?? 0));
}

/** What a valid field names. */
function valuesOf(text: string, field: Field): readonly number[] {
  return text.split(",").flatMap((part) => {
    const [range = "*", step = "1"] = part.split("/");
    const ends = range.split("-").map((end) => numberOf(end, field));
    const [from = field.min, to = range === "*" ? field.max : from] = ends;
    const count = Math.floor((to - from) / Number(step)) + 1;
    return Array.from({ length: count }, (_, index) => from + index * Number(step));
  });
}

function isField(text: string, field: Field): boolean {
  return text.split(",").every((part) => isRange(part, field));
}

function isRange(text: string, field: Field): boolean {
  const [, range, step = "1"] = /^([^/]+)(?:\/([1-9]\d?))?$/.exec(text) ?? [];
  // A step over the whole field is never taken: it is a mistake, and croner throws for it.
  if (range === undefined || Number(step) > field.values) return false;
  if (range === "*" || range.includes("-")) return range === "*" || isSpan(range, field);
  // A step needs a range to step through.
  return range === text && numberOf(range, field) !== undefined;
}

function isSpan(range: string, field: Field): boolean {
  const [first, last, ...rest] = range.split("-").map((part) => numberOf(part, field));
  return first !== undefined && last !== undefined && first <= last && rest.length === 0;
}

function numberOf(text: string, { min, max, words = [] }: Field): number | undefined {
  const word = words.indexOf(text.toLowerCase());
  const value = word >= 0 ? word + min : /^\d{1,2}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}
