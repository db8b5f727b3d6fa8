/** One mistake of the user in one configuration file. Lines and columns begin at 1. */
export interface Fault {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** `targets[0].tls.ca`; `(file)` for the whole. */
  readonly path: string;
  /** What stands there, as written; secrets are masked. */
  readonly found: string;
  readonly allowed: string;
  /** The valid name that was probably meant. */
  readonly nearest?: string;
}

/**
 * `file:line:column: path: found …, allowed: …`, which editors and terminals turn into a link. One line,
 * whatever the file holds: what would end it, or steer a terminal, is written as an escape.
 */
export function faultText(fault: Fault): string {
  const { file, line, column, path, found, allowed, nearest } = fault;
  const hint = nearest === undefined ? "" : ` (did you mean ${nearest}?)`;
  const text = `${file}:${line}:${column}: ${path}: found ${found}, allowed: ${allowed}${hint}`;
  return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, escaped);
}

function escaped(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`;
}

/**
 * The configuration is not usable. Carries every fault at once, in the order of the file: who mends
 * a file wants to mend it in one go.
 */
export class ConfigError extends Error {
  readonly faults: readonly Fault[];
  /** What the agent itself lacked to read the file (EMFILE): what is in it may well be good. */
  readonly shortage: string | undefined;

  constructor(faults: readonly Fault[], shortage?: string) {
    super(faults.map(faultText).join("\n"));
    this.name = "ConfigError";
    this.faults = faults;
    this.shortage = shortage;
  }
}
