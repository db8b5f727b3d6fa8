const STEPS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1000],
] as const;

/** A length of time as a sentence has it: the largest unit that holds it twice: `36 h`, `90 s`, `250 ms`. */
export function durationText(ms: number): string {
  const [unit, size] = STEPS.find(([, step]) => ms >= 2 * step) ?? ["ms", 1];
  return `${Math.floor(ms / size)} ${unit}`;
}
