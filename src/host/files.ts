import { open } from "node:fs/promises";
import type { Instant } from "../model/time.ts";

/** A bundle of certificates is far smaller; what is bigger is something else. */
const MAX_BYTES = 1 << 20;

export type MountedFile =
  | { readonly outcome: "read"; readonly text: string; readonly changedAt: Instant }
  | { readonly outcome: "unreadable"; readonly error: string };

/**
 * Reads a small file that is mounted into the pod, with the time of its last change. Links are
 * followed, so that a mounted secret or ConfigMap tells of its swap. What cannot be read is said.
 */
export async function readMountedFile(path: string): Promise<MountedFile> {
  try {
    const file = await open(path);
    try {
      const { size, mtimeMs } = await file.stat();
      if (size > MAX_BYTES) return { outcome: "unreadable", error: "the file exceeds 1 MiB" };
      const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, 0);
      return {
        outcome: "read",
        text: buffer.toString("utf8", 0, bytesRead),
        changedAt: Math.floor(mtimeMs),
      };
    } finally {
      await file.close();
    }
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : "unknown";
    return { outcome: "unreadable", error: `the file cannot be read (${code})` };
  }
}
