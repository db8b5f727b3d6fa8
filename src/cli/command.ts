import type { Arguments, Flag } from "./flag.ts";
import type { Grammar } from "./parse-arguments.ts";
import type { Program } from "./program.ts";
import type { Tools } from "./tools.ts";

/** What a command gets. */
export interface Call {
  readonly program: Program;
  readonly tools: Tools;
  readonly given: Arguments;
}

/** The body of a command: resolves to the exit code. */
export type Run = (call: Call) => Promise<number>;

/** A row of the table: all that is known of a command before its code is loaded. */
export interface Command extends Grammar {
  /** One word, or two: `config check`. */
  readonly name: string;
  /** One line, lower case, without full stop. */
  readonly summary: string;
  /** Sentences for `--help`; a line each. */
  readonly details: readonly string[];
  readonly examples: readonly string[];
  readonly load: () => Promise<{ readonly run: Run }>;
  /** True: not for people; help does not list it. */
  readonly isHidden?: boolean;
  /** True: it writes what it was given, to the byte unless a terminal shows it. */
  readonly handsOn?: boolean;
  /** The code for a wrong call, where it is not 2. */
  readonly usageExit?: number;
}

/** Understood by every command. */
export const HELP_FLAG: Flag = { name: "help", letter: "h", says: "prints this" };
