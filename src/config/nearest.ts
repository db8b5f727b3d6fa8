/**
 * The valid name that was probably meant, or `undefined` when none is close: at most one edit for
 * every three letters, swapped neighbours counting as one. A wrong hint is worse than none.
 */
export function nearest(found: string, valid: readonly string[]): string | undefined {
  if (found.length > LONGEST_NAME) return undefined;
  const wanted = found.toLowerCase();
  const allowance = wanted.length < 2 ? 0 : Math.max(1, Math.floor(wanted.length / 3));
  const ranked = valid
    .map((name) => ({ name, edits: editsTo(wanted, name.toLowerCase()) }))
    .filter(({ edits }) => edits <= allowance)
    .toSorted((a, b) => a.edits - b.edits);
  return ranked[0]?.name;
}

/** A beginning of three letters or more counts as one edit: `crit` means critical. */
function editsTo(wanted: string, name: string): number {
  return wanted.length >= 3 && name.startsWith(wanted) && name !== wanted
    ? 1
    : editDistance(wanted, name);
}

const LONGEST_NAME = 64;

/** Optimal string alignment: insert, delete, replace, swap of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: readonly number[] = [];
  let last: readonly number[] = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const isSame = a[row - 1] === b[column - 1];
      const isSwap = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
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
  return at(last, b.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Number.POSITIVE_INFINITY;
}
