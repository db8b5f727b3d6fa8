import { open } from "node:fs/promises";

/** The text of a file, cut at `maxBytes`. Rejects as `open` does. /proc says no sizes: a file is read to its end. */
export async function readText(path: string, maxBytes: number): Promise<string> {
  const file = await open(path);
  try {
    const buffer = Buffer.alloc(maxBytes);
    let filled = 0;
    for (let read = -1; read !== 0 && filled < maxBytes; filled += read) {
      ({ bytesRead: read } = await file.read(buffer, filled, maxBytes - filled, null));
    }
    return buffer.toString("utf8", 0, filled);
  } finally {
    await file.close();
  }
}
