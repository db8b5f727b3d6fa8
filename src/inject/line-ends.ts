/** A text whose lines end in line feeds alone: the normal form of YAML and JSON is written so. */
export function withLineFeeds(text: string): string {
  return text.replaceAll("\r\n", "\n");
}

/**
 * A text of line feeds with the line ends of its original, as the first of them is: a carriage return
 * that would be left on one line alone is no line end to every reader.
 */
export function endedLike(original: string, text: string): string {
  return /\r?\n/.exec(original)?.[0] === "\r\n" ? text.replaceAll("\n", "\r\n") : text;
}
