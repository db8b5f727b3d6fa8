import { parseArgs } from "node:util";
import { nearest } from "../model/nearest.ts";
import { UsageError } from "./exit.ts";
import type { Arguments, Flag } from "./flag.ts";

export interface Grammar {
  readonly flags: readonly Flag[];
  /** Names of the positional arguments; in brackets: may be left out. */
  readonly positionals: readonly string[];
  /** Accepts Go's `-plaintext` and `-tls=true` for the long flags, as grpcurl's users type them. */
  readonly goFlags?: boolean;
}

/** Reads a command line by its grammar; throws `UsageError` for what the grammar does not know. */
export function parseArguments(argv: readonly string[], grammar: Grammar): Arguments {
  const { flags, positionals, goFlags = false } = grammar;
  const args = goFlags ? argv.flatMap((argument) => fromGo(argument, flags)) : [...argv];
  const { tokens } = parseArgs({
    args,
    options: Object.fromEntries(flags.map((flag) => [flag.name, optionOf(flag)])),
    allowPositionals: true,
    strict: false,
    tokens: true,
  });
  const words = tokens.filter((token) => token.kind === "positional").map(({ value }) => value);

  const texts: Record<string, string> = {};
  const lists: Record<string, string[]> = {};
  const switches = new Set<string>();
  for (const token of tokens) {
    if (token.kind !== "option") continue;
    const flag = knownFlag(token.name, token.rawName, flags);
    const value = checkedValue(flag, token.rawName, token.value);
    if (value === undefined) switches.add(flag.name);
    else if (flag.isRepeated === true) lists[flag.name] = [...(lists[flag.name] ?? []), value];
    else texts[flag.name] = value;
  }
  // After the flags: what looks like one word too many is mostly the value of a flag that is unknown.
  checkPositionals(words, positionals);
  return { positionals: words, texts, lists, switches };
}

function optionOf(flag: Flag) {
  const type = flag.value === undefined ? ("boolean" as const) : ("string" as const);
  const short = flag.letter === undefined ? {} : { short: flag.letter };
  return { type, multiple: true, ...short };
}

function knownFlag(name: string, written: string, flags: readonly Flag[]): Flag {
  const flag = flags.find((one) => one.name === name);
  if (flag !== undefined) return flag;
  const meant = nearest(
    name,
    flags.map((one) => one.name),
  );
  throw new UsageError(
    `unknown flag ${written}${meant === undefined ? "" : ` (did you mean --${meant}?)`}`,
  );
}

function checkedValue(flag: Flag, written: string, value: string | undefined): string | undefined {
  if (flag.value === undefined && value !== undefined) {
    throw new UsageError(`${written} is a switch and takes no value`);
  }
  if (flag.value !== undefined && value === undefined) {
    throw new UsageError(`${written} needs a value: ${written} ${flag.value}`);
  }
  return value;
}

function checkPositionals(words: readonly string[], names: readonly string[]): void {
  const needed = names.filter((name) => !name.startsWith("["));
  const missing = needed[words.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  if (words.length <= names.length) return;
  // Not shown: it may be the second half of a token that nobody put in quotes.
  const most = names.length === 0 ? "no argument is" : `no more than ${names.join(" ")} is`;
  throw new UsageError(
    `${most} expected, ${words.length} were given; a text with spaces needs quotes`,
  );
}

/**
 * `-plaintext` as `--plaintext`, `-tls=false` as nothing, `-d={}` as `--d={}`. Other arguments stay as
 * they are.
 */
function fromGo(argument: string, flags: readonly Flag[]): readonly string[] {
  const [, name, value] = /^--?([\w-]{2,}|\w(?==))(?:=(.*))?$/s.exec(argument) ?? [];
  const flag = flags.find((one) => one.name === name);
  const isLetter = flags.some(
    ({ letter }) => letter !== undefined && name?.startsWith(letter) === true,
  );
  if (flag === undefined) return name === undefined || isLetter ? [argument] : [`--${name}`];
  if (value === undefined) return [`--${flag.name}`];
  if (flag.value !== undefined) return [`--${flag.name}=${value}`];
  return /^(?:t|true|1)$/i.test(value)
    ? [`--${flag.name}`]
    : /^(?:f|false|0)$/i.test(value)
      ? []
      : [argument];
}
