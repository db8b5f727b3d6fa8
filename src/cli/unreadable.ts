const WORDS: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "no permission",
  EISDIR: "it is a folder",
};

/** Why a file cannot be read, in words where the system has but a code. Source: errno(3). */
export function unreadable(thrown: unknown): string {
  const { code = "unknown" } = thrown as NodeJS.ErrnoException;
  return WORDS[code] ?? code;
}
