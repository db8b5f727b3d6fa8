/**
 * `10s`, `500ms`, `1h`, `21d` and `4MiB`, both ways. One unit inside: milliseconds, bytes. A bare
 * number is no duration: nobody can tell whether seconds or milliseconds were meant.
 */

const MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const;

/** Thirty years: beyond it a microsecond is no longer told apart. */
const LONGEST_MS = 1e12;

/** Milliseconds, or `undefined` when the text is no duration. `1h30m` and `1.5s` are durations. */
export function parseDuration(text: string): number | undefined {
  if (!/^(?:\d{1,12}(?:\.\d{1,6})?(?:ms|s|m|h|d))+$/.test(text)) return undefined;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  const ms = parts.reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * MS[unit as keyof typeof MS],
    0,
  );
  return ms <= LONGEST_MS ? roundMs(ms) : undefined;
}

/** The shortest text in one unit that parses to the same value. */
export function formatDuration(ms: number): string {
  return inLargestUnit(ms, MS) ?? `${ms}ms`;
}

/** Bytes, or `undefined` when the text is no size. A bare number counts bytes. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d{1,16}(?:\.\d{1,6})?)(B|KiB|MiB|GiB)?$/.exec(text) ?? [];
  if (amount === undefined) return undefined;
  const bytes = Number(amount) * BYTES[(unit ?? "B") as keyof typeof BYTES];
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export function formatSize(bytes: number): string {
  return inLargestUnit(bytes, BYTES) ?? `${bytes}B`;
}

function inLargestUnit(value: number, units: Readonly<Record<string, number>>): string | undefined {
  const fitting = Object.entries(units).findLast(
    ([, size]) => value !== 0 && Number.isInteger(value / size),
  );
  if (value === 0) return `0${Object.hasOwn(units, "s") ? "s" : "B"}`;
  return fitting === undefined ? undefined : `${value / fitting[1]}${fitting[0]}`;
}

/** Sums of decimal fractions carry noise below the microsecond, which nobody wrote. */
function roundMs(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
