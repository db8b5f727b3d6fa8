/** A line of a diff: ` ` in both, `-` only before, `+` only after. */
export interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Without the end of the last one. */
export function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  return lines.at(-1) === "" ? lines.slice(0, -1) : lines;
}

/** So far a change is followed; what differs for longer is shown as replaced to the end. */
const LONGEST_CHANGE = 2000;

/**
 * Both texts line by line. At a difference the nearest place where two lines are the same again ends
 * it: not always the shortest way, but a true one, in time that grows with the changes alone.
 */
export function compareLines(before: readonly string[], after: readonly string[]): readonly Line[] {
  const lines: Line[] = [];
  let [x, y] = [0, 0];
  while (x < before.length || y < after.length) {
    if (x < before.length && before[x] === after[y]) {
      lines.push({ sign: " ", text: before[x] ?? "" });
      x += 1;
      y += 1;
      continue;
    }
    const [gone, come] = nearestMeeting(before.slice(x), after.slice(y));
    lines.push(...before.slice(x, x + gone).map((text): Line => ({ sign: "-", text })));
    lines.push(...after.slice(y, y + come).map((text): Line => ({ sign: "+", text })));
    x += gone;
    y += come;
  }
  return lines;
}

/** How many lines of each are to be passed until both go on alike. */
function nearestMeeting(
  before: readonly string[],
  after: readonly string[],
): readonly [number, number] {
  const farthest = Math.min(before.length + after.length, LONGEST_CHANGE);
  for (let passed = 1; passed < farthest; passed += 1) {
    const least = Math.max(0, passed - after.length);
    for (let gone = least; gone <= Math.min(passed, before.length); gone += 1) {
      if (meet(before, after, [gone, passed - gone])) return [gone, passed - gone];
    }
  }
  return [before.length, after.length];
}

/** Two lines alike, or one that stands nowhere else near: a lone brace or name meets by chance. */
function meet(
  before: readonly string[],
  after: readonly string[],
  [x, y]: readonly [number, number],
): boolean {
  if (x >= before.length || before[x] !== after[y]) return false;
  return before[x + 1] === after[y + 1] || (isAloneAt(before, x) && isAloneAt(after, y));
}

/** How far around a line another of the same text is looked for. */
const NEAR = 100;

function isAloneAt(lines: readonly string[], index: number): boolean {
  const line = lines[index] ?? "";
  const next = lines.indexOf(line, index + 1);
  return lines.indexOf(line) === index && (next < 0 || next > index + NEAR);
}
