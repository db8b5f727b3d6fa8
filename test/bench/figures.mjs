/** The middle of a list of numbers; NaN of none. */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/**
 * One line of the result: what was measured, in which unit, against which budget (at most `budget`,
 * or none). `values` are the repeats; their median is the figure.
 */
export function row({ what, unit, values, budget, note }) {
  return { what, unit, values, budget, note };
}

/** `1.38 × (1.37..1.40) held`: where there is a budget, whether it holds, or by how much it is missed. */
export function cell({ unit, values, budget }) {
  const figure = median(values);
  if (Number.isNaN(figure)) return "-";
  const spread =
    values.length < 2 ? "" : ` (${digits(Math.min(...values))}..${digits(Math.max(...values))})`;
  return `${digits(figure)} ${unit}${spread}${verdict(figure, budget)}`;
}

function verdict(figure, budget) {
  if (budget === undefined) return "";
  return figure > budget ? ` **missed by ${digits(figure - budget)}**` : " held";
}

/** Three digits that say something. */
function digits(value) {
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
}
