import { compareLines, linesOf } from "./compare-lines.ts";

/**
 * A text as somebody laid it out, with the changes that were made to its normal form: what was not
 * changed keeps its blank lines, its aligned comments and its brackets as they were.
 */
export function keepLayout(original: string, normal: string, changed: string): string {
  const layout = layoutOf(linesOf(original), linesOf(normal));
  const edits = compareLines(linesOf(normal), linesOf(changed));
  const lost = touchedBlocks(layout, edits);
  const lines: string[] = [];
  let index = 0;
  for (const { sign, text } of edits) {
    if (sign === "+") {
      lines.push(text);
      continue;
    }
    const block = layout[index];
    if (block !== undefined && !lost.has(block))
      lines.push(...(block.from === index ? block.lines : []));
    else if (sign === " ") lines.push(text);
    index += 1;
  }
  return `${lines.join("\n")}\n`;
}

/** Lines of the normal form, and those of the original in their place. */
interface Block {
  readonly from: number;
  readonly lines: string[];
}

/** For each line of the normal form, the block that it is in; lines that are only in the original join the next. */
function layoutOf(original: readonly string[], normal: readonly string[]): readonly Block[] {
  const blocks: Block[] = [];
  const isTaken = (block: Block) => blocks.at(-1) === block;
  let open: Block = { from: 0, lines: [] };
  for (const { sign, text } of compareLines(original, normal)) {
    const isSame = sign === " ";
    if (isSame && isTaken(open)) open = { from: blocks.length, lines: [] };
    if (sign !== "+") open.lines.push(text);
    if (sign !== "-") blocks.push(open);
    if (isSame) open = { from: blocks.length, lines: [] };
  }
  // What follows the last line of the normal form belongs to it.
  if (!isTaken(open)) blocks.at(-1)?.lines.push(...open.lines);
  return blocks;
}

/** Blocks that an edit reaches into: they are shown in their normal form. */
function touchedBlocks(
  layout: readonly Block[],
  edits: ReturnType<typeof compareLines>,
): ReadonlySet<Block> {
  const touched = new Set<Block>();
  let index = 0;
  for (const { sign } of edits) {
    const [block, previous] = [layout[index], layout[index - 1]];
    if (sign === "-" && block !== undefined) touched.add(block);
    if (sign === "+" && block !== undefined && block === previous) touched.add(block);
    if (sign !== "+") index += 1;
  }
  return touched;
}
