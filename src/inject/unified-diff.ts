import { compareLines, type Line, linesOf } from "./compare-lines.ts";

/** Lines of each side that are the same around a change. */
const CONTEXT = 3;

/** `diff -u` of two texts; empty when they are the same. */
export function unifiedDiff(before: string, after: string, name: string): string {
  if (before === after) return "";
  const lines = compareLines(linesOf(before), linesOf(after));
  const hunks = hunksOf(lines).map(([from, to]) => hunk(lines, from, to));
  return [`--- ${name}`, `+++ ${name}`, ...hunks, ""].join("\n");
}

/** From where to where the changes and what stands around them go. */
function hunksOf(lines: readonly Line[]): readonly (readonly [number, number])[] {
  const hunks: [number, number][] = [];
  for (const [index, { sign }] of lines.entries()) {
    if (sign === " ") continue;
    const last = hunks.at(-1);
    const to = Math.min(lines.length, index + 1 + CONTEXT);
    if (last !== undefined && index - CONTEXT <= last[1]) last[1] = to;
    else hunks.push([Math.max(0, index - CONTEXT), to]);
  }
  return hunks;
}

function hunk(lines: readonly Line[], from: number, to: number): string {
  const counted = (part: readonly Line[], not: Line["sign"]) =>
    part.filter(({ sign }) => sign !== not).length;
  const [head, shown] = [lines.slice(0, from), lines.slice(from, to)];
  const range = (not: Line["sign"]) => {
    const count = counted(shown, not);
    return `${counted(head, not) + (count === 0 ? 0 : 1)},${count}`;
  };
  const body = shown.map(({ sign, text }) => `${sign}${text}`);
  return [`@@ -${range("+")} +${range("-")} @@`, ...body].join("\n");
}
