/** Names are compared up to this length, so that a stranger's certificate costs little. */
const GREATEST_LENGTH = 253;

/** The candidate that fewest edits turn into the name, however many; ties keep order. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  return ranked(name, candidates, editDistance)[0]?.candidate;
}

/**
 * The valid name that was probably meant, or `undefined` when none is close: at most one edit for
 * every three letters, swapped neighbours counting as one. A wrong hint is worse than none.
 */
export function nearest(found: string, valid: readonly string[]): string | undefined {
  if (found.length > LONGEST_TYPED) return undefined;
  const allowance = found.length < 2 ? 0 : Math.max(1, Math.floor(found.length / 3));
  const [best] = ranked(found.toLowerCase(), valid, (wanted, name) =>
    editsTo(wanted, name.toLowerCase()),
  );
  return best !== undefined && best.edits <= allowance ? best.candidate : undefined;
}

/** Longer than what a person mistypes. */
const LONGEST_TYPED = 120;

interface Ranked {
  readonly candidate: string;
  readonly edits: number;
}

function ranked(
  name: string,
  candidates: readonly string[],
  distance: (from: string, to: string) => number,
): readonly Ranked[] {
  const wanted = name.slice(0, GREATEST_LENGTH);
  return candidates
    .map((candidate) => ({
      candidate,
      edits: distance(wanted, candidate.slice(0, GREATEST_LENGTH)),
    }))
    .toSorted((a, b) => a.edits - b.edits);
}

/** A beginning of three letters or more counts as one edit: `crit` means critical. */
function editsTo(wanted: string, name: string): number {
  return wanted.length >= 3 && name.startsWith(wanted) && name !== wanted
    ? 1
    : editDistance(wanted, name);
}

/** Optimal string alignment: insert, delete, replace, swap of neighbours. */
function editDistance(from: string, to: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const isSame = from[row - 1] === to[column - 1];
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      const swapped = isSwap ? at(beforeLast, column - 2) + 1 : Number.POSITIVE_INFINITY;
      const replaced = at(last, column - 1) + (isSame ? 0 : 1);
      current[column] = Math.min(
        at(last, column) + 1,
        at(current, column - 1) + 1,
        replaced,
        swapped,
      );
    }
    beforeLast = last;
    last = current;
  }
  return at(last, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
