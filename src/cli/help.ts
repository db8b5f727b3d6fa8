import { wrap } from "../model/wrap.ts";
import { type Command, HELP_FLAG } from "./command.ts";
import type { Flag } from "./flag.ts";

export interface HelpStyle {
  readonly version: string;
  /** Of a line, in characters. */
  readonly width: number;
}

/** The list of all commands: `grpc-doctor --help`. */
export function programHelp(commands: readonly Command[], { version, width }: HelpStyle): string {
  const listed = commands.filter(({ isHidden }) => isHidden !== true);
  const rows = listed.map((command) => [usageOf(command), command.summary] as const);
  return [
    ...wrap(`grpc-doctor ${version}: names the one cause, with evidence and a remedy.`, width),
    "",
    "Usage: grpc-doctor COMMAND [flags]",
    "",
    "Commands:",
    ...table(rows, width),
    "",
    "Flags:",
    ...table(
      [
        ["-h, --help", "prints this; after a command, its flags"],
        ["-v, --version", "prints the version"],
      ],
      width,
    ),
    "",
    ...wrap(EXIT_CODES, width),
    "",
  ].join("\n");
}

const EXIT_CODES =
  "Exit codes: 0 fine, 1 findings or a failed probe, 2 usage, 3 invalid configuration, 70 a bug of ours.";

/** `grpc-doctor COMMAND --help`. */
export function commandHelp(command: Command, { width }: Pick<HelpStyle, "width">): string {
  const flags = [...command.flags, HELP_FLAG].map(
    (flag) => [flagText(flag), flagSays(flag)] as const,
  );
  const examples =
    command.examples.length === 0
      ? []
      : ["", "Examples:", ...command.examples.map((line) => `  ${line}`)];
  return [
    ...wrap(`grpc-doctor ${command.name}: ${command.summary}.`, width),
    "",
    `Usage: grpc-doctor ${usageOf(command)}${command.flags.length > 0 ? " [flags]" : ""}`,
    ...(command.details.length === 0
      ? []
      : ["", ...command.details.flatMap((line) => wrap(line, width))]),
    "",
    "Flags:",
    ...table(flags, width),
    ...examples,
    "",
  ].join("\n");
}

export function usageOf({ name, positionals }: Command): string {
  return [name, ...positionals].join(" ");
}

export function flagText(flag: Flag): string {
  const { name, letter, value } = flag;
  const written =
    letter === name ? `-${letter}` : `${letter === undefined ? "    " : `-${letter}, `}--${name}`;
  return value === undefined ? written : `${written} ${value}`;
}

export function flagSays(flag: Flag): string {
  const repeated = flag.isRepeated === true ? "; may be repeated" : "";
  return `${flag.says}${repeated}${flag.default === undefined ? "" : ` (default ${flag.default})`}`;
}

function table(rows: readonly (readonly [string, string])[], width: number): readonly string[] {
  const widest = Math.max(...rows.map(([name]) => name.length));
  const left = Math.min(36, Math.floor(width / 2.5), widest);
  return rows.flatMap(([name, says]) => {
    const [first = "", ...rest] = wrap(says, width - left - 4);
    const lead =
      name.length > left
        ? [`  ${name}`, `  ${" ".repeat(left)}  ${first}`]
        : [`  ${name.padEnd(left)}  ${first}`];
    return [...lead, ...rest.map((line) => `  ${" ".repeat(left)}  ${line}`)];
  });
}
