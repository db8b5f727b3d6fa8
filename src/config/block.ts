/**
 * Puts generated text between the two marker lines of a hand-written file: `begin: NAME` and
 * `end: NAME`, in whatever comment the file uses. Throws when the markers are not there.
 */
export function withBlock(text: string, name: string, content: string): string {
  const lines = text.split("\n");
  const begin = lines.findIndex((line) => line.includes(`begin: ${name}`));
  const end = lines.findIndex((line) => line.includes(`end: ${name}`));
  if (begin < 0 || end < begin) throw new Error(`the markers of ${name} are missing`);
  const inner = content.replace(/\n$/, "").split("\n");
  return [...lines.slice(0, begin + 1), ...inner, ...lines.slice(end)].join("\n");
}
