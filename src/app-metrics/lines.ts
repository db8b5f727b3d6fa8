/** A longer line is dropped: no sample that we want has one. */
const MAX_LINE = 16 * 1024;

export interface LineReader {
  /** Takes the next bytes of the text, wherever they were cut. */
  feed(bytes: Uint8Array): void;
  /** The text has ended: what stands after the last line break is a line too. */
  end(): void;
}

/** Cuts a stream of UTF-8 into lines; at most one line of 16 KiB is held back between two chunks. */
export function createLineReader(onLine: (line: string) => void): LineReader {
  const decoder = new TextDecoder();
  let kept = "";
  let isSkipping = false;

  const take = (text: string) => {
    const lines = (kept + text).split("\n");
    kept = lines.pop() ?? "";
    for (const line of lines) {
      if (!isSkipping && line.length <= MAX_LINE) onLine(line);
      isSkipping = false;
    }
    if (kept.length > MAX_LINE) {
      kept = "";
      isSkipping = true;
    }
  };
  return {
    feed: (bytes) => take(decoder.decode(bytes, { stream: true })),
    end: () => take(`${decoder.decode()}\n`),
  };
}
