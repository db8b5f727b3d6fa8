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
 * True where a value may be a secret: metadata, payloads, and URLs, which carry tokens in user part
 * and query. Such a value is never printed.
 */
export function isSecretPath(path: Path): boolean {
  const last = path.at(-1);
  const isPayload = path[0] === "probes" && path[2] === "request";
  const isUrl =
    last === "url" || last === "endpoint" || (last === "metrics" && path[0] === "targets");
  return path[2] === "metadata" || isPayload || isUrl;
}

/**
 * False where a file is named whose content is a secret, and what stands there looks like no path:
 * somebody may have written the secret itself.
 */
export function isShownFile(path: Path, written: string): boolean {
  const last = path.at(-1);
  const isKey = last === "key" && path.at(-2) === "tls";
  const isSecret = last === "adminToken" || isKey || path[2] === "metadata";
  return !isSecret || /^\.{0,2}\/[\w./-]*$/.test(written);
}
