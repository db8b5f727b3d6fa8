/** Where a value stands in a file: keys and indexes from the top. */
export type Path = readonly (string | number)[];

/** `targets[0].tls.ca`; a key that is no plain word stands in brackets and quotes. */
export function pathText(path: Path): string {
  const text = path.map((part) => {
    if (typeof part === "number") return `[${part}]`;
    return /^[\w-]{1,64}$/.test(part) ? `.${part}` : `[${JSON.stringify(part.slice(0, 64))}]`;
  });
  return text.join("").replace(/^\./, "") || "(file)";
}

/** Unambiguous, to look a path up by. */
export function pathKey(path: Path): string {
  return JSON.stringify(path);
}

/**
 * True where a value may be a secret: literal metadata, and URLs, which carry tokens in user part
 * and query. Such a value is never printed.
 */
export function isSecretPath(path: Path): boolean {
  const last = path.at(-1);
  const isMetadata = path.at(-2) === "metadata" || path.at(-3) === "metadata";
  const isUrl =
    last === "url" || last === "endpoint" || (last === "metrics" && path[0] === "targets");
  return isMetadata || isUrl;
}
