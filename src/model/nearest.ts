/** Names are compared up to this length, so that a stranger's certificate costs little. */
const GREATEST_LENGTH = 253;

/** The candidate that fewest edits (insert, delete, replace) turn into the name; ties keep order. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const distances = candidates.map((candidate) => ({
    candidate,
    edits: editDistance(name.slice(0, GREATEST_LENGTH), candidate.slice(0, GREATEST_LENGTH)),
  }));
  return distances.toSorted((a, b) => a.edits - b.edits)[0]?.candidate;
}

/** Levenshtein distance, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let index = 0; index < from.length; index++) {
    const next = [index + 1];
    for (let at = 0; at < to.length; at++) {
      const replaced = (row[at] ?? 0) + (from[index] === to[at] ? 0 : 1);
      next.push(Math.min(replaced, (row[at + 1] ?? 0) + 1, (next[at] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
