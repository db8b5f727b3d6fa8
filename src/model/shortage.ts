/** Descriptors or memory, of the process or of the node. Source: errno(3). */
const SHORTAGES: ReadonlySet<string> = new Set(["EMFILE", "ENFILE", "ENOMEM", "ENOBUFS"]);

/** The system's word for it, where what was thrown tells of our own shortage: no server is to blame. */
export function shortageOf(thrown: unknown): string | undefined {
  const code = thrown instanceof Error && "code" in thrown ? String(thrown.code) : undefined;
  return code !== undefined && isShortage(code) ? code : undefined;
}

export function isShortage(errno: string): boolean {
  return SHORTAGES.has(errno);
}
